import { expect, test } from 'vitest';
import { ReplicationLag, ReplicationLags } from './replication-lag.ts';

const QUIET_MS = 3000;

/** A stream whose primary's clock shows `CLOCK` when ours shows 0. */
const CLOCK = 5_000_000;

function following(appliedTxid: number): ReplicationLag {
  const lag = new ReplicationLag();
  lag.begin(appliedTxid);
  lag.heard(CLOCK, 0, { txid: appliedTxid, unsentBytes: 0 });
  return lag;
}

test('nothing is known before a primary was heard', () => {
  const lag = new ReplicationLag();
  expect(lag.read(10, QUIET_MS)).toBeUndefined();
  lag.begin(3);
  expect(lag.read(10, QUIET_MS)).toBeUndefined();
});

test('a database that has everything is not behind', () => {
  expect(following(7).read(900, QUIET_MS)).toEqual({ transactions: 0, bytes: 0, seconds: 0 });
});

test('what has arrived and is not applied is behind since it arrived', () => {
  const lag = following(7);
  lag.received(9, 4000, 1000);
  expect(lag.read(1500, QUIET_MS)).toEqual({ transactions: 2, bytes: 4000, seconds: 0.5 });
  lag.applied(9, 4000);
  expect(lag.read(1600, QUIET_MS)).toEqual({ transactions: 0, bytes: 0, seconds: 0 });
});

test('what a heartbeat tells of is behind since the heartbeat before, which did not', () => {
  const lag = following(7);
  lag.heard(CLOCK + 1000, 1000, { txid: 20, unsentBytes: 9000 });
  expect(lag.read(1000, QUIET_MS)).toEqual({ transactions: 13, bytes: 9000, seconds: 1 });
  lag.heard(CLOCK + 2000, 2000, { txid: 30, unsentBytes: 8000 });
  lag.applied(20, 1500);
  expect(lag.read(2500, QUIET_MS)).toEqual({ transactions: 10, bytes: 6500, seconds: 1.5 });
});

test('a heartbeat that waited in buffers shows as lag', () => {
  const lag = following(7);
  lag.heard(CLOCK + 1000, 9000);
  expect(lag.read(9000, QUIET_MS)).toEqual({ transactions: 0, bytes: 0, seconds: 8 });
});

test('the date on either node does not matter', () => {
  const readings = [0, 1e15].map((clock) => {
    const lag = new ReplicationLag();
    lag.begin(1);
    lag.heard(clock, 0, { txid: 1, unsentBytes: 0 });
    lag.heard(clock + 1000, 1010, { txid: 5, unsentBytes: 10 });
    return lag.read(3000, QUIET_MS);
  });
  expect(readings[0]).toEqual({ transactions: 4, bytes: 10, seconds: 3 });
  expect(readings[1]).toEqual(readings[0]);
});

test('without a stream the lag grows from when the primary was last heard', () => {
  const lag = following(7);
  lag.end();
  expect(lag.read(4000, QUIET_MS)).toEqual({ transactions: 0, bytes: 0, seconds: 4 });
});

test('a new stream, to a primary with another clock, goes on with what was missed', () => {
  const lag = following(7);
  lag.end();
  lag.begin(7);
  lag.heard(12, 60_000, { txid: 9, unsentBytes: 100 });
  expect(lag.read(60_500, QUIET_MS)).toEqual({ transactions: 2, bytes: 100, seconds: 60.5 });
});

test('a new primary that has less than the one before is not what we are behind', () => {
  const lag = following(7);
  lag.received(9, 10, 100);
  lag.end();
  lag.begin(7);
  lag.heard(12, 200, { txid: 8, unsentBytes: 5 });
  expect(lag.read(300, QUIET_MS)?.transactions).toBe(1);
  lag.applied(8, 5);
  expect(lag.read(300, QUIET_MS)).toEqual({ transactions: 0, bytes: 0, seconds: 0 });
});

test('a long backlog keeps a bounded number of marks and never shows less than the truth', () => {
  const lag = following(0);
  for (let txid = 1; txid <= 5000; txid += 1) lag.received(txid, 1, txid * 10);
  for (let applied = 0; applied < 5000; applied += 97) {
    lag.applied(applied, 1);
    const seconds = lag.read(50_000, QUIET_MS)?.seconds ?? 0;
    const truth = (50_000 - (applied + 1) * 10) / 1000;
    expect(seconds).toBeGreaterThanOrEqual(truth);
    expect(seconds).toBeLessThan(truth + 1);
  }
});

test('a dropped database has no lag, others keep theirs', () => {
  const lags = new ReplicationLags();
  lags.of('a').begin(1);
  lags.of('b').begin(1);
  lags.heard(0, 0, new Map([['a', { txid: 3, unsentBytes: 7 }]]));
  lags.drop('b');
  expect([...lags.read(0, QUIET_MS)]).toEqual([['a', { transactions: 2, bytes: 7, seconds: 0 }]]);
  lags.end();
  expect(lags.read(1000, QUIET_MS).get('a')?.seconds).toBe(1);
});
