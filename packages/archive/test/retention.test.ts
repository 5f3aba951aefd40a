import { expect, test } from 'vitest';
import { Retention } from '../src/index.ts';
import { DAY_MS, HOUR_MS, openLab, sealAll, storeVisit, type Lab } from './lab.ts';

const START_MS = Date.parse('2026-03-02T00:00:00Z');
const STARTS = {
  sql: 'SELECT site_id, min(start_ms), count(*) FROM visit GROUP BY site_id ORDER BY site_id',
  parameters: [],
};

/** A visit of each of two sites on each of twenty days, merged into one month. */
async function fill(lab: Lab): Promise<readonly [number, number]> {
  const sites = [lab.addSite().id, lab.addSite().id] as const;
  for (let day = 0; day < 20; day += 1) {
    for (const site_id of sites) {
      const start_ms = START_MS + day * DAY_MS + HOUR_MS;
      storeVisit(lab.journal, { site_id, visitor: BigInt(day * 10 + site_id), start_ms });
    }
  }
  await sealAll(lab.sealer(), START_MS + 30 * DAY_MS);
  while ((await lab.merger().mergeNext(START_MS + 60 * DAY_MS)) !== undefined);
  return sites;
}

test('visits go when a set is a week over their age, and only those of the site (A5)', async () => {
  const lab = await openLab();
  const [first, second] = await fill(lab);
  lab.journal.sites.update(first, { settings: { retentionDays: 10 } });
  const retention = new Retention(lab);
  const run = (day: number) => retention.run(START_MS + day * DAY_MS + 2 * HOUR_MS, () => false);
  expect(await run(16)).toBe(0);
  expect(await run(18)).toBe(8);
  expect(await run(18)).toBe(0);
  expect((await lab.store.query(STARTS)).rows).toEqual([
    [first, START_MS + 8 * DAY_MS + HOUR_MS, 12],
    [second, START_MS + HOUR_MS, 20],
  ]);
  expect(await run(40)).toBe(12);
  expect((await lab.store.query(STARTS)).rows).toEqual([[second, START_MS + HOUR_MS, 20]]);
});

test('a removed site leaves the archive (A5)', async () => {
  const lab = await openLab();
  const [first, second] = await fill(lab);
  lab.journal.sites.remove(first, START_MS);
  const retention = new Retention(lab);
  expect(lab.journal.archive.removedSiteIds()).toEqual([first]);
  expect(await retention.run(START_MS, () => false)).toBe(20);
  expect(lab.journal.archive.removedSiteIds()).toEqual([]);
  expect((await lab.store.query(STARTS)).rows).toEqual([[second, START_MS + HOUR_MS, 20]]);
});
