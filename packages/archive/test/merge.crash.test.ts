import { expect, test } from 'vitest';
import { DAY_MS, HOUR_MS, allRows, openLab, sealAll, storeVisit } from './lab.ts';
import { runAndKill } from './run-and-kill.ts';

const START_MS = 20_000 * DAY_MS;
/** Three for each of two days, and three for the month. */
const STEPS = 3 * 3;

test('merging that is killed at any step is finished by the next one (A3, J11)', async () => {
  const lab = await openLab();
  const { id } = lab.addSite();
  for (let hour = 1; hour <= 47; hour += 5) {
    const start_ms = START_MS + hour * HOUR_MS;
    storeVisit(lab.journal, { site_id: id, visitor: BigInt(hour), start_ms }, ['/', '/next']);
  }
  const before = await allRows(lab.store);
  expect(await sealAll(lab.sealer({ visitsMax: 2 }), START_MS + 3 * DAY_MS)).toBe(6);
  const parameters = [lab.folder, String(START_MS + 90 * DAY_MS)];
  for (let killAt = 1; killAt < STEPS; killAt += 1) {
    const killed = await runAndKill('merge-all.ts', parameters, killAt);
    // A process that is killed may get a step or two further.
    if (killed.code === 0) break;
    expect(await allRows(lab.store)).toEqual(before);
    expect(await allRows(await lab.openStore())).toEqual(before);
  }
  expect((await runAndKill('merge-all.ts', parameters)).code).toBe(0);
  expect(lab.journal.archive.sets()).toMatchObject([{ level: 'month', visits: 10, events: 20 }]);
  expect(await allRows(await lab.openStore())).toEqual(before);
});
