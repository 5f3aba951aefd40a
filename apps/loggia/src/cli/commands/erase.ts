import { join } from 'node:path';
import type { QueryFilter, Site } from '@loggia/contract';
import { Eraser, SegmentBuilder, type Erasure } from '@loggia/archive';
import type { Journal } from '@loggia/journal';
import { chosenVisitsStatement, parseQuery, type Filter } from '@loggia/reports';
import { SegmentCache } from '@loggia/warehouse';
import { ZoneRules, addToDate } from '@tandem/base';
import { confirmDeletion } from '../confirm.ts';
import { flagValue, operand, type CommandContext, type CommandResult } from '../command.ts';
import { CommandError } from '../command-error.ts';
import { mustFindSite, withJournal } from '../open-journal.ts';

const MEMORY_BYTES = 128 * 1024 * 1024;
const DATE = /^\d{4}-\d{2}-\d{2}$/;
/** Before and after any event. */
const FIRST_DATE = '2000-01-01';
const LAST_DATE = '2999-12-30';

/** Erases a site's visits, or those that the flags choose. Cut off anywhere, it is run again. */
export async function erase(context: CommandContext): Promise<CommandResult> {
  return await withJournal(context, async (journal) => {
    const site = mustFindSite(journal, operand(context.invocation, 0));
    const { erasure, words } = erasureOf(context, journal, site);
    await confirmDeletion(context, words, site.domain);
    const cacheFolder = join(context.configuration().values.dataDir, 'cache');
    const cache = new SegmentCache(cacheFolder, journal.archive);
    const builder = await SegmentBuilder.open({
      cacheFolder,
      workName: 'erase',
      cache,
      memoryBytes: MEMORY_BYTES,
    });
    try {
      const visits = await new Eraser({ journal, builder }).erase(erasure);
      if (erasure.sums === 'drop') {
        journal.transaction(() => journal.archive.forgetFirst(site.id));
      }
      return {
        value: { erased_visits: visits },
        text: `Erased ${visits} visits of ${site.domain}.\n`,
      };
    } finally {
      builder.close();
    }
  });
}

function erasureOf(
  context: CommandContext,
  journal: Journal,
  site: Site,
): { readonly erasure: Erasure; readonly words: string } {
  const { invocation } = context;
  const from = dateOf(flagValue(invocation, 'from'), 'from');
  const to = dateOf(flagValue(invocation, 'to'), 'to');
  const filters = filtersOf(flagValue(invocation, 'page'), flagValue(invocation, 'filters'));
  const zone = ZoneRules.of(site.timezone);
  const range = {
    fromMs: zone.startOfDate(from ?? FIRST_DATE),
    toMs: zone.startOfDate(addToDate(to ?? LAST_DATE, { days: 1 })),
    zone,
    dates: undefined,
  };
  if (range.fromMs >= range.toMs) {
    throw new CommandError('bad_value', '--from is after --to.', { hint: 'Swap them.' });
  }
  const goals = journal.goals.list(site.id);
  const chosen = chosenVisitsStatement({ siteId: site.id, range, filters, goals });
  const isWhole = from === undefined && to === undefined && filters.length === 0;
  return {
    erasure: { siteId: site.id, chosen, sums: isWhole ? 'drop' : 'subtract' },
    words: isWhole
      ? `Everything that was counted of ${site.domain}`
      : `Every visit of ${site.domain} that the flags choose, with all its events,`,
  };
}

function dateOf(text: string | undefined, flag: string): string | undefined {
  if (text === undefined) return undefined;
  const isDate = DATE.test(text) && Number.isFinite(Date.parse(`${text}T00:00:00Z`));
  if (isDate && text >= FIRST_DATE && text <= LAST_DATE) return text;
  throw new CommandError('bad_value', `--${flag} is '${text}', which is no date.`, {
    hint: 'Write a date of the site such as 2026-03-18.',
  });
}

/** @throws HttpError `bad_query` when the filters are none of the Stats API's. */
function filtersOf(page: string | undefined, json: string | undefined): readonly Filter[] {
  const sent: unknown[] = page === undefined ? [] : [['matches_wildcard', 'event:page', [page]]];
  if (json !== undefined) sent.push(...parseJson(json));
  return parseQuery({
    site_id: 'any',
    metrics: ['visitors'],
    date_range: 'all',
    filters: sent as QueryFilter[],
  }).filters;
}

function parseJson(json: string): readonly unknown[] {
  try {
    const parsed: unknown = JSON.parse(json);
    if (Array.isArray(parsed)) return parsed;
  } catch {
    // Said below in the words of this command.
  }
  throw new CommandError('bad_value', '--filters is no JSON list.', {
    hint: `Write filters of the Stats API, such as '[["is","visit:country",["DE"]]]'.`,
  });
}
