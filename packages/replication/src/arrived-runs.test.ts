import { expect, test } from 'vitest';
import { ArrivedRuns } from './arrived-runs.ts';
import { EpochHistory } from './epoch-history.ts';
import type { ArrivedFile } from './stream-source.ts';

const HISTORY = EpochHistory.EMPTY.begin(1, 1).begin(2, 10);

function fileOf(minTxid: number, changes: Partial<ArrivedFile> = {}): ArrivedFile {
  const epoch = HISTORY.epochOf(minTxid);
  const bytes = new Uint8Array(100);
  return { minTxid, maxTxid: minTxid, bytes, epoch, timestampMs: 0, history: HISTORY, ...changes };
}

test('what one database has in a row is one run, others are runs of their own', () => {
  const runs = new ArrivedRuns();
  const [a1, a2, b7] = [fileOf(1, { maxTxid: 3 }), fileOf(4), fileOf(7)];
  for (const [name, file] of [['a', a1] as const, ['b', b7] as const, ['a', a2] as const]) {
    expect(runs.accepts(name, file)).toBe(true);
    runs.add(name, file);
  }
  expect(runs.take()).toEqual([
    ['a', [a1, a2]],
    ['b', [b7]],
  ]);
  expect(runs.take()).toEqual([]);
});

test('a run has no gap, one epoch and one history', () => {
  const runs = new ArrivedRuns();
  runs.add('a', fileOf(8));
  expect(runs.accepts('a', fileOf(9))).toBe(true);
  expect(runs.accepts('a', fileOf(8))).toBe(false);
  expect(runs.accepts('a', fileOf(10))).toBe(false);
  expect(runs.accepts('a', fileOf(9, { history: HISTORY.observe(3) }))).toBe(false);
  runs.add('a', fileOf(9));
  expect(runs.accepts('a', fileOf(10))).toBe(false);
});

test('a run does not become long, whatever the sizes of its files', () => {
  const runs = new ArrivedRuns();
  runs.add('a', fileOf(1, { bytes: new Uint8Array(1 << 17) }));
  expect(runs.isFull).toBe(false);
  expect(runs.accepts('a', fileOf(2, { bytes: new Uint8Array((1 << 17) + 1) }))).toBe(false);
  runs.add('a', fileOf(2, { bytes: new Uint8Array(1 << 17) }));
  expect(runs.isFull).toBe(true);
  runs.take();
  expect(runs.isFull).toBe(false);
  runs.add('a', fileOf(3, { bytes: new Uint8Array(1 << 20) }));
  expect(runs.isFull).toBe(true);
});

test('nor do many short files wait without end', () => {
  const runs = new ArrivedRuns();
  for (let index = 0; index < 1023; index += 1) runs.add(`db${index}`, fileOf(1));
  expect(runs.isFull).toBe(false);
  runs.add('db0', fileOf(2));
  expect(runs.isFull).toBe(true);
});
