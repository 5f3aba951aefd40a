import { join } from 'node:path';
import { Merger, SegmentBuilder, SiteCalendar } from '@loggia/archive';
import { Journal } from '@loggia/journal';
import { SegmentCache } from '@loggia/warehouse';
import { YEAR_DAYS, YEAR_FIRST_DAY, yearRows, type YearShape } from './year-rows.ts';

const MEMORY_BYTES = 256 * 1024 * 1024;
const DAY_MS = 86_400_000;
const PAGES_MAX = 100_000;

/** A day after the year, on which all that was sealed is merged. */
export const AFTER_YEAR_MS = (YEAR_FIRST_DAY + YEAR_DAYS + 10) * DAY_MS;

/** Fills the journal of a folder with a year that is sealed and merged. The folder exists. */
export async function makeYear(
  folder: string,
  shape: YearShape,
  note: (text: string) => void,
): Promise<void> {
  using journal = Journal.open({ folder });
  for (let number = 1; number <= shape.sites; number += 1) {
    journal.sites.create({ domain: `site-${number}.example`, timezone: 'UTC', nowMs: 0 });
  }
  const cacheFolder = join(folder, 'cache');
  const cache = new SegmentCache(cacheFolder, journal.archive);
  const builder = await SegmentBuilder.open({ cacheFolder, cache, memoryBytes: MEMORY_BYTES });
  const calendar = new SiteCalendar(journal.sites.list());
  const merger = new Merger({ journal, builder });
  for (let index = 0; index < shape.days; index += 1) {
    const day = YEAR_FIRST_DAY + index;
    const { set, firstStarts } = await builder.buildDay(yearRows(shape, index), {
      day,
      calendar,
      known: [],
    });
    journal.transaction(() => {
      journal.archive.insertSealed(set);
      for (const { siteId, startMs } of firstStarts) journal.archive.noteFirst(siteId, startMs);
    });
    if (index % 30 === 29) note(`${index + 1} of ${shape.days} days`);
  }
  while ((await merger.mergeNext(AFTER_YEAR_MS)) !== undefined);
  builder.close();
  while (journal.giveBackPages(PAGES_MAX) > 0);
  journal.checkpoint();
}
