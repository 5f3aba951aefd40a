import { resolve } from 'node:path';
import type { Site } from '@loggia/contract';
import { Salts, type Journal } from '@loggia/journal';
import { systemClock } from '@tandem/base';
import pino from 'pino';
import { openEnricher } from '../../server/open-enricher.ts';
import { SaltCache } from '../../server/salt-cache.ts';
import { accessLogKind } from '../../transfer/access-log-kind.ts';
import { goatcounterKind } from '../../transfer/goatcounter-kind.ts';
import type { HitSinkOptions, ParsedHit } from '../../transfer/hit-sink.ts';
import type { ImportKind } from '../../transfer/import-kind.ts';
import { ImportLedger } from '../../transfer/import-progress.ts';
import { runImport } from '../../transfer/run-import.ts';
import { umamiKind } from '../../transfer/umami-kind.ts';
import { flagValue, type CommandContext, type CommandResult } from '../command.ts';
import { CommandError } from '../command-error.ts';
import { mustFindSite, withJournal } from '../open-journal.ts';
import { Progress } from '../progress.ts';
import { badLinesOf } from './import-loggia.ts';
import { importResult } from './import-result.ts';

/** What is counted, in words; the reasons for which live events are dropped are among them. */
const WORDS: Readonly<Record<string, string>> = {
  pageviews: 'page views',
  events: 'custom events',
  bot: 'left out: robots',
  asset: 'left out: parts of pages, feeds, downloads',
  not_get: 'left out: other methods than GET',
  not_given: 'left out: redirects and errors',
  prefetch: 'left out: fetched in advance',
  other_host: 'left out: other hosts',
  other_line: 'left out: lines about something else',
  other_kind: 'left out: neither page views nor custom events',
  other_website: 'left out: other websites',
  datacentre: 'left out: networks of hosting companies',
  spam_referrer: 'left out: referrer spam',
  excluded_page: 'left out: pages that the site excludes',
  excluded_address: 'left out: addresses that the site excludes',
  host_not_allowed: 'left out: hosts that the site does not allow',
  bad: 'left out: lines that cannot be understood',
};

type Options = Omit<HitSinkOptions, 'disorderMs'>;

/** What the command has of its own. */
interface HitImport {
  readonly name: string;
  readonly badLinesDefault: number;
  readonly kindFor: (options: Options) => ImportKind<ParsedHit>;
}

/** Imports access logs of web servers. */
export async function importAccessLog(context: CommandContext): Promise<CommandResult> {
  const hosts = context.invocation.flags.get('host') ?? [];
  return await importHits(context, {
    name: 'access-log',
    badLinesDefault: 100,
    kindFor: (options) => accessLogKind({ ...options, hosts }),
  });
}

/** Imports Umami's rows. */
export async function importUmami(context: CommandContext): Promise<CommandResult> {
  const website = flagValue(context.invocation, 'website');
  return await importHits(context, {
    name: 'umami',
    badLinesDefault: 0,
    kindFor: (options) => umamiKind({ ...options, website }),
  });
}

/** Imports GoatCounter's export. */
export async function importGoatcounter(context: CommandContext): Promise<CommandResult> {
  return await importHits(context, {
    name: 'goatcounter',
    badLinesDefault: 0,
    kindFor: goatcounterKind,
  });
}

async function importHits(context: CommandContext, what: HitImport): Promise<CommandResult> {
  const { invocation, terminal } = context;
  return await withJournal(context, async (journal) => {
    const site = siteOf(context, journal);
    const { values } = context.configuration();
    using salts = Salts.open({ folder: values.dataDir });
    const saltCache = new SaltCache(salts, systemClock);
    const outside = { clock: systemClock, logger: pino({ level: 'silent' }) };
    const { enricher, loaded } = openEnricher(values, saltCache, outside);
    await loaded;
    using progress = new Progress(terminal);
    const nowMs = () => terminal.nowMs();
    const result = await runImport(
      invocation.operands.map((path) => resolve(terminal.cwd, path)),
      {
        kind: what.kindFor({ journal, site, enricher, nowMs }),
        ledger: new ImportLedger(journal, `${what.name} ${site.id}`),
        badLinesMax: badLinesOf(context, what.badLinesDefault),
        nowMs,
        onProgress: (share, step) => progress.show(share, step, { step }),
      },
    );
    return importResult(result, WORDS);
  });
}

function siteOf({ invocation }: CommandContext, journal: Journal): Site {
  const domain = flagValue(invocation, 'site');
  if (domain !== undefined) return mustFindSite(journal, domain);
  throw new CommandError('usage', '--site is missing.', {
    hint: "Name the site that the file is about; 'loggia site list' shows all.",
  });
}
