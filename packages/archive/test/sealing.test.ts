import { readdirSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { DAY_MS, HOUR_MS, allRows, openLab, sealAll, storeVisit, type Lab } from './lab.ts';

const DAY = 20_000;
const START_MS = DAY * DAY_MS;

/** Visits of two sites over three days; the last one began an hour before the end of the third. */
function fill({ journal, addSite }: Lab): number {
  const sites = [addSite('UTC'), addSite('Pacific/Auckland')];
  for (let hour = 1; hour < 72; hour += 2) {
    for (const [index, site] of sites.entries()) {
      const visitor = BigInt(hour * 7 + index);
      storeVisit(journal, { site_id: site.id, visitor, start_ms: START_MS + hour * HOUR_MS }, [
        '/',
        `/page-${hour}`,
      ]);
    }
  }
  return START_MS + 72 * HOUR_MS;
}

test('sealing changes no answer, whenever the store has loaded (A1, J11, W15)', async () => {
  const lab = await openLab();
  const nowMs = fill(lab);
  const before = await allRows(lab.store);
  const parts = await sealAll(lab.sealer({ visitsMax: 10 }), nowMs);
  expect(parts).toBeGreaterThan(4);
  expect(await allRows(lab.store)).toEqual(before);
  expect(await allRows(await lab.openStore())).toEqual(before);
  const { events, visits } = await lab.store.status();
  expect(events).toBe(2 * visits);
  expect(events).toBeLessThan(144 / 2);
});

test('a visit that may still go on, or whose day has not ended, is left alone', async () => {
  const lab = await openLab();
  const { id: utc } = lab.addSite('UTC');
  const { id: west } = lab.addSite('America/Los_Angeles');
  const noonMs = START_MS + 12 * HOUR_MS;
  storeVisit(lab.journal, { site_id: utc, visitor: 1n, start_ms: noonMs });
  storeVisit(lab.journal, { site_id: west, visitor: 2n, start_ms: noonMs });
  const dayOver = START_MS + DAY_MS + HOUR_MS;
  storeVisit(lab.journal, {
    site_id: utc,
    visitor: 3n,
    start_ms: START_MS + DAY_MS - 1,
    last_ms: dayOver - 1,
  });
  expect(await sealAll(lab.sealer(), dayOver - 1)).toBe(0);
  expect(await sealAll(lab.sealer(), dayOver)).toBe(1);
  expect(lab.journal.archive.sets()).toMatchObject([{ visits: 1, events: 1, firstDay: DAY }]);
  expect(await sealAll(lab.sealer(), dayOver + 31 * 60_000 + HOUR_MS)).toBe(1);
  expect(await sealAll(lab.sealer(), dayOver + 8 * HOUR_MS)).toBe(1);
  expect(lab.journal.archive.sets().map(({ firstDay }) => firstDay)).toEqual([DAY, DAY, DAY]);
});

test('a visit that changes while its part is built stays in the tail (A1)', async () => {
  const lab = await openLab();
  const { id } = lab.addSite();
  const first = storeVisit(lab.journal, { site_id: id, visitor: 1n, start_ms: START_MS });
  storeVisit(lab.journal, { site_id: id, visitor: 2n, start_ms: START_MS + 1 });
  const [row] = lab.journal.tail.visitsOf(id, [1n], { fromMs: START_MS, toMs: START_MS });
  let touched = false;
  const sealer = lab.sealer({
    onStep: (step) => {
      if (step !== 'built' || touched || row === undefined) return;
      touched = true;
      lab.journal.transaction(() =>
        lab.journal.tail.updateVisit({ ...row, last_ms: START_MS + 30 * DAY_MS }),
      );
    },
  });
  const before = await allRows(lab.store);
  expect(await sealer.sealNext(START_MS + 2 * DAY_MS)).toMatchObject({ visits: 1, events: 1 });
  expect(lab.journal.tail.readVisits(0, 10).map(([visitId]) => visitId)).toEqual([first]);
  expect(await allRows(lab.store)).toEqual(before);
});

test('the same visits give the same bytes', async () => {
  const digests = [];
  for (let round = 0; round < 2; round += 1) {
    const lab = await openLab();
    const nowMs = fill(lab);
    await sealAll(lab.sealer(), nowMs);
    const sets = lab.journal.archive.sets();
    digests.push(sets.flatMap(({ segments }) => segments.map(({ sha256 }) => sha256)));
  }
  expect(digests[0]?.length).toBeGreaterThan(4);
  expect(digests[1]).toEqual(digests[0]);
});

test('a file that is missing, cut short or altered is made anew before it is read (W13)', async () => {
  const lab = await openLab();
  const nowMs = fill(lab);
  const before = await allRows(lab.store);
  await sealAll(lab.sealer(), nowMs);
  expect(await allRows(lab.store)).toEqual(before);
  const cache = join(lab.folder, 'cache');
  const files = () => readdirSync(cache).filter((name) => name.endsWith('.parquet'));
  const [one = '', two = ''] = files();
  rmSync(join(cache, one));
  truncateSync(join(cache, two), 100);
  expect(await allRows(lab.store)).toEqual(before);
  const size = statSync(join(cache, one)).size;
  writeFileSync(join(cache, one), Buffer.alloc(size, 7));
  expect(await allRows(await lab.openStore())).toEqual(before);
  rmSync(cache, { recursive: true });
  expect(await allRows(lab.store)).toEqual(before);
});

test('a sealed visit can no longer be joined, and its site still has a first event', async () => {
  const lab = await openLab();
  const { id } = lab.addSite();
  storeVisit(lab.journal, { site_id: id, visitor: 1n, start_ms: START_MS });
  const around = { fromMs: START_MS, toMs: START_MS };
  lab.journal.transaction(() => {
    expect(lab.journal.tail.visitsOf(id, [1n], around)).toHaveLength(1);
  });
  await sealAll(lab.sealer(), START_MS + 2 * DAY_MS);
  lab.journal.transaction(() => {
    expect(lab.journal.tail.visitsOf(id, [1n], around)).toEqual([]);
  });
  expect(lab.journal.firstEventMs(id)).toBe(START_MS);
});
