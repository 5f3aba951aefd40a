import { resolve } from 'node:path';
import type { Site } from '@loggia/contract';
import type { Journal } from '@loggia/journal';
import { ZoneRules, addToDate, type LocalDate } from '@tandem/base';
import pino from 'pino';
import { setHeapFlags } from '../../server/heap-flags.ts';
import { openStore } from '../../server/open-store.ts';
import { OwnCache } from '../own-cache.ts';
import { exportPages, type ExportPart } from '../../transfer/export-rows.ts';
import {
  EXPORT_FORMATS,
  fileTarget,
  streamTarget,
  type ExportFormat,
  type ExportTarget,
} from '../../transfer/export-target.ts';
import {
  flagValue,
  isFlagSet,
  type CommandContext,
  type CommandResult,
  type Invocation,
} from '../command.ts';
import { CommandError } from '../command-error.ts';
import { EXIT_CODES } from '../exit-code.ts';
import { mustFindSite, withJournal } from '../open-journal.ts';
import { parseDate } from '../parse-date.ts';
import { PartialFile } from '../partial-file.ts';
import { Progress } from '../progress.ts';

/** What was exported. */
interface Exported {
  readonly rows: number;
  readonly sites: readonly string[];
}

/** Writes events with their visits to a file, or to standard output. */
export async function exportEvents(context: CommandContext): Promise<CommandResult | number> {
  const { invocation, terminal } = context;
  const format = formatOf(invocation);
  const parts = await withJournal(context, (journal) =>
    partsOf(journal, invocation, terminal.nowMs()),
  );
  const output = flagValue(invocation, 'output');
  if (output === undefined) {
    if (format === 'parquet') {
      throw new CommandError('usage', 'Parquet cannot be written to standard output.', {
        hint: 'Name a file with --output.',
      });
    }
    const exported = await run(context, parts, streamTarget(format, terminal.stdout));
    const { value, text } = resultOf(exported, null);
    terminal.stderr.write(invocation.isJson ? `${JSON.stringify(value)}\n` : text);
    return EXIT_CODES.ok;
  }
  const path = resolve(terminal.cwd, output);
  using file = new PartialFile(path, { isReplacing: isFlagSet(invocation, 'force') });
  const exported = await file.write(
    async (partial) => await run(context, parts, await fileTarget(format, partial)),
  );
  return resultOf(exported, path);
}

async function run(
  context: CommandContext,
  parts: readonly ExportPart[],
  target: ExportTarget,
): Promise<Exported> {
  using progress = new Progress(context.terminal);
  setHeapFlags();
  const { values } = context.configuration();
  using cache = new OwnCache(values.dataDir);
  const store = openStore(values, pino({ level: 'silent' }), cache.folder);
  let rowCount = 0;
  try {
    for await (const { visits, share } of exportPages(store, parts)) {
      await target.write(visits);
      for (const { events } of visits) rowCount += events.length;
      progress.show(share, `${rowCount} rows`, { rows: rowCount });
    }
    await target.finish();
  } finally {
    await target.close();
    await store.close();
  }
  return { rows: rowCount, sites: parts.map(({ site }) => site.domain) };
}

function resultOf({ rows, sites }: Exported, file: string | null): CommandResult {
  const what = sites.length === 1 ? (sites[0] ?? '') : `${sites.length} sites`;
  const where = file === null ? '' : ` to ${file}`;
  return {
    value: { file, rows, sites },
    text: `Exported ${rows} rows of ${what}${where}.\n`,
  };
}

function formatOf(invocation: Invocation): ExportFormat {
  const given = flagValue(invocation, 'format');
  const format = EXPORT_FORMATS.find((each) => each === given);
  if (format !== undefined) return format;
  const list = EXPORT_FORMATS.join(', ');
  if (given === undefined) {
    throw new CommandError('usage', '--format is missing.', { hint: `It is one of ${list}.` });
  }
  throw new CommandError('bad_value', `--format is '${given}', which does not exist.`, {
    hint: `It is one of ${list}.`,
  });
}

/** The sites that were asked for, or all, each with the time that the dates mean in its zone. */
function partsOf(journal: Journal, invocation: Invocation, nowMs: number): ExportPart[] {
  const domains = invocation.flags.get('site');
  const sites = domains?.map((domain) => mustFindSite(journal, domain)) ?? journal.sites.list();
  const from = dateOf(invocation, 'from');
  const to = dateOf(invocation, 'to');
  if (from !== undefined && to !== undefined && from > to) {
    throw new CommandError('bad_value', `--from ${from} is after --to ${to}.`);
  }
  const byId = new Map(sites.map((site) => [site.id, site]));
  return [...byId.values()]
    .sort((left, right) => left.id - right.id)
    .map((site) => ({ site, span: spanOf(site, { from, to, nowMs }) }));
}

function dateOf(invocation: Invocation, flag: 'from' | 'to'): LocalDate | undefined {
  const text = flagValue(invocation, flag);
  return text === undefined ? undefined : parseDate(`--${flag}`, text);
}

function spanOf(
  site: Site,
  range: {
    readonly from: LocalDate | undefined;
    readonly to: LocalDate | undefined;
    readonly nowMs: number;
  },
): ExportPart['span'] {
  const rules = ZoneRules.of(site.timezone);
  const { from, to, nowMs } = range;
  return {
    fromMs: from === undefined ? 0 : rules.startOfDate(from),
    // What begins while the export runs is not in it. A sender's clock may be ahead.
    untilMs:
      to === undefined ? nowMs + CLOCK_AHEAD_MS : rules.startOfDate(addToDate(to, { days: 1 })),
  };
}

/** How far ahead of the server's clock an event's time may be. */
const CLOCK_AHEAD_MS = 5 * 60_000;
