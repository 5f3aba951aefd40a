import { addToDate } from '@tandem/base';
import { parseDomain } from '@loggia/journal';
import { DEMO_SITES, type DemoSitePlan } from '../../seed/demo-sites.ts';
import { writeDemo, type DemoRequest } from '../../seed/write-demo.ts';
import { flagValue, type CommandContext, type CommandResult, type Invocation } from '../command.ts';
import { withJournal } from '../open-journal.ts';
import { parseDate } from '../parse-date.ts';
import { parseNumber } from '../parse-number.ts';
import { Progress } from '../progress.ts';
import { tableText } from '../table-text.ts';

const EVENTS_DEFAULT = 150_000;
const DAYS_DEFAULT = 365;
const SEED_DEFAULT = 1;

/** Fills demo sites with made-up visitors. */
export async function seed(context: CommandContext): Promise<CommandResult> {
  const request = requestOf(context.invocation, context.terminal.nowMs());
  const results = await withJournal(context, (journal) => {
    using progress = new Progress(context.terminal);
    return writeDemo(journal, request, (hitCount) =>
      progress.show(hitCount / request.hitsTarget, `${hitCount} events`, { events: hitCount }),
    );
  });
  const firstDate = addToDate(request.until, { days: 1 - request.days });
  const rows = results.map(({ domain, hitCount }) => [domain, String(hitCount)]);
  return {
    value: {
      sites: results.map(({ domain, hitCount }) => ({ domain, events: hitCount })),
      first_date: firstDate,
      last_date: request.until,
      seed: request.seed,
    },
    text:
      tableText([{ heading: 'Site' }, { heading: 'Events', isNumber: true }], rows) +
      `From ${firstDate} to ${request.until}, made from the seed ${request.seed}.\n`,
  };
}

function requestOf(invocation: Invocation, nowMs: number): DemoRequest {
  const number = (flag: string, byDefault: number, max: number) =>
    parseNumber(`--${flag}`, flagValue(invocation, flag) ?? String(byDefault), { min: 1, max });
  return {
    sites: sitesOf(flagValue(invocation, 'domain')),
    hitsTarget: number('events', EVENTS_DEFAULT, 1e8),
    days: number('days', DAYS_DEFAULT, 3660),
    seed: number('seed', SEED_DEFAULT, 2 ** 53 - 1),
    until: parseDate(
      '--until',
      flagValue(invocation, 'until') ?? new Date(nowMs).toISOString().slice(0, 10),
    ),
    nowMs,
  };
}

function sitesOf(domain: string | undefined): readonly DemoSitePlan[] {
  if (domain === undefined) return DEMO_SITES;
  return [{ domain: parseDomain(domain), timezone: 'UTC', share: 1 }];
}
