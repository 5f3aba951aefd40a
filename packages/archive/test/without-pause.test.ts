import { expect, test } from 'vitest';
import { DAY_MS, MINUTE_MS, openLab, storeVisit } from './lab.ts';

const START_MS = 20_000 * DAY_MS;

/** Each event and visit of the first day exactly once, or the answer is another one. */
const CENSUS = {
  sql: `SELECT count(*), count(DISTINCT e.id), sum(e.id), count(v.id),
      (SELECT count(*) FROM visit WHERE start_ms < ?)
    FROM event e LEFT JOIN visit v ON v.id = e.visit_id WHERE e.time_ms < ?`,
  parameters: [START_MS + DAY_MS, START_MS + DAY_MS],
};

test('queries without pause see each event exactly once while sets come and go (W14, W15, A3)', async () => {
  const lab = await openLab({ stepRowsMax: 50 });
  const { id } = lab.addSite();
  const visits = 150;
  for (let index = 0; index < visits; index += 1) {
    const start_ms = START_MS + index * 2 * MINUTE_MS;
    storeVisit(lab.journal, { site_id: id, visitor: BigInt(index), start_ms }, ['/', '/next']);
  }
  const expected = (await lab.store.query(CENSUS)).rows;
  expect(expected[0]?.slice(0, 2)).toEqual([2 * visits, 2 * visits]);
  const state: { isSealing: boolean; answers: number; failure?: unknown } = {
    isSealing: true,
    answers: 0,
  };
  const ask = async (): Promise<void> => {
    while (state.isSealing) {
      expect((await lab.store.query(CENSUS)).rows).toEqual(expected);
      state.answers += 1;
    }
  };
  const asking = [ask(), ask()].map((asked) =>
    asked.catch((error: unknown) => {
      state.failure = error;
    }),
  );
  /** At least one answer more, whatever the machine's speed. */
  const another = async (): Promise<void> => {
    const { answers } = state;
    while (state.answers === answers && state.failure === undefined) {
      await new Promise(setImmediate);
    }
    expect(state.failure).toBeUndefined();
  };
  const sealer = lab.sealer({ visitsMax: 25 });
  const nowMs = START_MS + 2 * DAY_MS;
  let parts = 0;
  while ((await sealer.sealNext(nowMs)) !== undefined) {
    parts += 1;
    // New visits of the present keep the tail moving; their day is not over.
    storeVisit(lab.journal, { site_id: id, visitor: BigInt(-parts), start_ms: nowMs });
    await another();
  }
  const merger = lab.merger({ bytesMax: 1 });
  for (const later of [3, 70]) {
    while ((await merger.mergeNext(nowMs + later * DAY_MS)) !== undefined) {
      await another();
    }
  }
  expect(lab.journal.archive.sets().map(({ level }) => level)).toEqual(['month']);
  state.isSealing = false;
  await Promise.all(asking);
  expect(parts).toBe(visits / 25);
  expect(await lab.store.status()).toMatchObject({ visits: parts });
});
