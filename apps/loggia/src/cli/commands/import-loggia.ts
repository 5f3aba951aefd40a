import { resolve } from 'node:path';
import { ImportLedger } from '../../transfer/import-progress.ts';
import { loggiaKind, rowTargets } from '../../transfer/loggia-kind.ts';
import { runImport } from '../../transfer/run-import.ts';
import { flagValue, isFlagSet, type CommandContext, type CommandResult } from '../command.ts';
import { mustFindSite, withJournal } from '../open-journal.ts';
import { parseNumber } from '../parse-number.ts';
import { Progress } from '../progress.ts';
import { importResult } from './import-result.ts';

const WORDS = { rows: 'events, pings included', visits: 'visits', bad: 'lines left out' } as const;

/** Imports what `loggia export` wrote. */
export async function importLoggia(context: CommandContext): Promise<CommandResult> {
  const { invocation, terminal } = context;
  const domain = flagValue(invocation, 'site');
  return await withJournal(context, async (journal) => {
    using progress = new Progress(terminal);
    const into = domain === undefined ? undefined : mustFindSite(journal, domain);
    const notices: string[] = [];
    const targets = rowTargets(journal, {
      into,
      isAdding: isFlagSet(invocation, 'add-sites'),
      nowMs: terminal.nowMs(),
      onOtherZone: (site, timezone) =>
        notices.push(
          `${site.domain} has the zone ${site.timezone}, the export ${timezone}: days differ.`,
        ),
    });
    const result = await runImport(
      invocation.operands.map((path) => resolve(terminal.cwd, path)),
      {
        kind: loggiaKind(journal, targets),
        ledger: new ImportLedger(journal, `loggia ${into?.id ?? 'all'}`),
        badLinesMax: badLinesOf(context, 0),
        nowMs: () => terminal.nowMs(),
        onProgress: (share, step) => progress.show(share, step, { step }),
      },
    );
    return importResult(result, WORDS, notices);
  });
}

/** How many lines may be left out. */
export function badLinesOf({ invocation }: CommandContext, byDefault: number): number {
  const text = flagValue(invocation, 'bad-lines') ?? String(byDefault);
  return parseNumber('--bad-lines', text, { min: 0, max: 1e9 });
}
