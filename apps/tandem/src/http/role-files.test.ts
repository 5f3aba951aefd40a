import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { DatabaseStatus, NodeStatus } from './node-api.ts';
import { lagText, roleFiles } from './role-files.ts';
import { NO_COUNTERS, NO_QUARANTINES } from '../../test/no-counts.ts';

const NODE = { id: 'a', name: 'web-0', advertiseUrl: 'http://web-0:20202' };
const OTHER = { id: 'b', name: 'web-1', advertiseUrl: 'http://web-1:20202' };
const DATABASE: DatabaseStatus = {
  name: 'app.db',
  position: { epoch: 2, txid: 255 },
  pageSize: 4096,
  pageCount: 1,
  lag: { transactions: 1, bytes: 1, seconds: 0.25 },
  log: { fileCount: 0, bytes: 0, minTxid: 0, maxTxid: 0 },
  commitCount: 0,
  sqlite: undefined,
};
const REPLICA: NodeStatus = {
  version: '0',
  startedAtMs: 0,
  identity: NODE,
  clusterId: undefined,
  role: 'replica',
  isCandidate: true,
  leaseKind: 'consul',
  folder: '/data',
  epoch: 2,
  highestEpoch: 2,
  primary: OTHER,
  obstacles: [],
  streamState: 'following',
  databases: [DATABASE],
  members: [],
  replicas: [],
  acknowledgement: {
    mode: 'none',
    timeoutMs: 1,
    onTimeout: 'block',
    counts: undefined,
    degradedNames: [],
  },
  counters: NO_COUNTERS,
  quarantines: NO_QUARANTINES,
};

function textOf(name: string, status: NodeStatus): string | undefined {
  return roleFiles(status).find((file) => file.name === name)?.text;
}

describe('.primary', () => {
  it('names the primary on a replica that is connected to it', () => {
    expect(textOf('.primary', REPLICA)).toBe('web-1\n');
    expect(textOf('.primary', { ...REPLICA, streamState: 'catching-up' })).toBe('web-1\n');
  });

  it('is absent everywhere else', () => {
    for (const status of [
      { ...REPLICA, role: 'primary' as const, primary: NODE },
      { ...REPLICA, role: 'none' as const, primary: undefined },
      { ...REPLICA, streamState: 'connecting' },
      { ...REPLICA, streamState: 'idle' },
    ]) {
      expect(textOf('.primary', status)).toBeUndefined();
    }
  });
});

describe('.lag', () => {
  it('has the largest lag in milliseconds, 0 on the primary', () => {
    expect(textOf('.lag', REPLICA)).toBe('+000000250\n');
    expect(textOf('.lag', { ...REPLICA, role: 'primary' })).toBe('+000000000\n');
  });

  it('has LiteFS’s value for a node that was never in step', () => {
    const unheard = { ...DATABASE, lag: undefined };
    expect(textOf('.lag', { ...REPLICA, databases: [unheard] })).toBe('+2147483647');
    const empty = { ...REPLICA, databases: [], obstacles: ['The first sync is not done.'] };
    expect(textOf('.lag', empty)).toBe('+2147483647');
    expect(textOf('.lag', { ...empty, obstacles: [] })).toBe('+000000000\n');
  });

  it('always has 11 bytes, which are a number', () => {
    fc.assert(
      fc.property(fc.double({ noNaN: true }), (lagMs) => {
        const text = lagText(lagMs);
        expect(Buffer.byteLength(text)).toBe(11);
        const ms = Math.min(Math.max(0, Math.round(lagMs)), 2_147_483_647);
        expect(Number(text)).toBe(ms);
      }),
    );
  });
});

describe('NAME-pos', () => {
  it('has the transaction and the checksum in 34 bytes', () => {
    const database = { ...DATABASE, checksum: 'efb1f44fecd99000' };
    const text = textOf('app.db-pos', { ...REPLICA, databases: [database] });
    expect(text).toBe('00000000000000ff/efb1f44fecd99000\n');
    expect(text).toHaveLength(34);
  });

  it('has zeros for a checksum that is not at hand', () => {
    expect(textOf('app.db-pos', REPLICA)).toBe('00000000000000ff/0000000000000000\n');
  });
});
