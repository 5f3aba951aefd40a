import { expect, test } from 'vitest';
import { DAY_MS, HOUR_MS, allRows, openLab, storeVisit } from './lab.ts';
import { runAndKill } from './run-and-kill.ts';

const START_MS = 20_000 * DAY_MS;
/** Four for each part of three visits. */
const STEPS = 4 * 4;

test('sealing that is killed at any step is finished by the next one (A1, J11)', async () => {
  const lab = await openLab();
  const { id } = lab.addSite();
  for (let hour = 1; hour <= 12; hour += 1) {
    const start_ms = START_MS + hour * HOUR_MS;
    storeVisit(lab.journal, { site_id: id, visitor: BigInt(hour), start_ms }, ['/', '/next']);
  }
  const before = await allRows(lab.store);
  const parameters = [lab.folder, String(START_MS + 2 * DAY_MS)];
  for (let killAt = 1; killAt < STEPS; killAt += 1) {
    const killed = await runAndKill('seal-all.ts', parameters, killAt);
    // A process that is killed may get a step or two further.
    if (killed.code === 0) break;
    expect(await allRows(lab.store)).toEqual(before);
    expect(await allRows(await lab.openStore())).toEqual(before);
  }
  expect((await runAndKill('seal-all.ts', parameters)).code).toBe(0);
  expect(lab.journal.tail.readVisits(0, 100)).toEqual([]);
  expect(lab.journal.tail.readEvents(0, 100)).toEqual([]);
  expect(await allRows(await lab.openStore())).toEqual(before);
});
