import { expect, test } from 'vitest';
import { DAY_MS, HOUR_MS, openLab, sealAll, storeVisit } from './lab.ts';
import { runAndKill } from './run-and-kill.ts';

const START_MS = 20_000 * DAY_MS;
/** One for the tail, three for each of three sets. */
const STEPS = 1 + 3 * 3;
const CENSUS = {
  sql: `SELECT count(*) FILTER (WHERE v.entry_page = '/'),
      count(*) FILTER (WHERE v.entry_page = '/next'),
      (SELECT count(*) FROM event e WHERE e.visit_id NOT IN (SELECT id FROM visit)),
      (SELECT count(DISTINCT visit_id) FROM event) = count(*)
    FROM visit v`,
  parameters: [],
};

test('erasing that is killed at any step is finished by the next one (A4)', async () => {
  const lab = await openLab();
  const { id } = lab.addSite();
  for (let hour = 1; hour <= 78; hour += 2) {
    const start_ms = START_MS + hour * HOUR_MS;
    const pages = hour % 3 === 0 ? ['/next'] : ['/'];
    storeVisit(lab.journal, { site_id: id, visitor: BigInt(hour), start_ms }, pages);
  }
  expect(await sealAll(lab.sealer(), START_MS + 3 * DAY_MS + 2 * HOUR_MS)).toBe(3);
  const before = (await lab.store.query(CENSUS)).rows[0] ?? [];
  let left = Number(before[1]);
  for (let killAt = 1; killAt < STEPS; killAt += 1) {
    const killed = await runAndKill('erase-page.ts', [lab.folder, String(id)], killAt);
    // A process that is killed may get a step or two further.
    if (killed.code === 0) break;
    const now = (await (await lab.openStore()).query(CENSUS)).rows[0] ?? [];
    expect([now[0], now[2], now[3]]).toEqual([before[0], 0, true]);
    expect(Number(now[1])).toBeLessThanOrEqual(left);
    left = Number(now[1]);
  }
  expect((await runAndKill('erase-page.ts', [lab.folder, String(id)])).code).toBe(0);
  expect((await lab.store.query(CENSUS)).rows).toEqual([[before[0], 0, 0, true]]);
});
