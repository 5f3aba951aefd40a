import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { StaticLease, type LeaseStore } from '@tandem/lease';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { CLUSTER_ID_FILE } from './cluster-id.ts';
import { ClusterMembership, type ClusterMembershipOptions } from './cluster-membership.ts';

let folder: string;
let hasData: boolean;
let setAside: string[];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'membership-'));
  hasData = false;
  setAside = [];
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const open = (options: Partial<ClusterMembershipOptions> = {}): ClusterMembership =>
  new ClusterMembership({
    stateFolder: folder,
    onMismatch: 'set-aside',
    hasData: () => hasData,
    setAllAside: (reason) => {
      setAside.push(reason);
      hasData = false;
    },
    ...options,
  });

const keep = (id: string): void => writeFileSync(join(folder, CLUSTER_ID_FILE), `${id}\n`);
const kept = (): string => readFileSync(join(folder, CLUSTER_ID_FILE), 'utf8').trim();

/** A store in which the id is what it is. */
function storeOf(inForce?: string): LeaseStore {
  const self = { id: 'a-1', name: 'a', advertiseUrl: 'http://a:1' };
  const lease = new StaticLease({
    self,
    primary: { kind: 'name', name: 'a' },
    primaryUrl: 'http://a:1',
  });
  lease.claimClusterId = async (candidate) => inForce ?? candidate;
  return lease;
}

describe('a node without an id', () => {
  test('takes over that of the primary it follows, for good', () => {
    const membership = open();
    expect(membership.isAtOdds(undefined)).toBe(false);
    membership.join('X', undefined);
    expect(membership).toMatchObject({ id: 'X', hasJoined: true });
    expect(kept()).toBe('X');
    expect(open().id).toBe('X');
  });

  test('makes one as the first primary, and has it on its disk before the store has it', async () => {
    const store = storeOf();
    const claimed: string[] = [];
    store.claimClusterId = async (candidate) => {
      claimed.push(candidate, kept());
      return candidate;
    };
    const membership = open();
    await membership.claim(store, undefined);
    expect(claimed[0]).toMatch(/^LFSC[0-9A-F]{16}$/);
    expect(claimed).toEqual([membership.id, membership.id]);
  });

  test('has data that is of no cluster: it says nothing of it, and sets it aside to join', () => {
    hasData = true;
    const membership = open();
    expect(membership.isAtOdds(undefined)).toBe(true);
    membership.join('X', undefined);
    expect(setAside).toHaveLength(1);
    expect(membership.isAtOdds('X')).toBe(false);
  });

  test('does not lead with data of no cluster under the lease of one', async () => {
    hasData = true;
    await expect(open().claim(storeOf('X'), 'X')).rejects.toMatchObject({
      code: 'cluster_mismatch',
    });
  });

  test('leads empty under the lease of a cluster, as part of it', async () => {
    const membership = open();
    await membership.claim(storeOf('X'), 'X');
    expect(kept()).toBe('X');
  });
});

describe('a node of cluster X', () => {
  beforeEach(() => keep('X'));

  test('joins X without further ado', () => {
    hasData = true;
    const membership = open();
    membership.join('X', 'X');
    expect(setAside).toEqual([]);
  });

  test('with data, sets it aside once to join Y', () => {
    hasData = true;
    const membership = open();
    expect(membership.isAtOdds('Y')).toBe(true);
    membership.join('Y', 'Y');
    membership.join('Y', 'Y');
    expect(setAside).toHaveLength(1);
    expect(setAside[0]).toContain('cluster X, while the cluster it joins is Y');
    expect(kept()).toBe('Y');
  });

  test('finds out that a primary is of Y when that refuses it', () => {
    hasData = true;
    const membership = open();
    expect(membership.isAtOdds(undefined)).toBe(false);
    membership.doubt();
    expect(membership.isAtOdds(undefined)).toBe(true);
    membership.join('Y', undefined);
    expect(membership).toMatchObject({ id: 'Y' });
    expect(membership.isAtOdds(undefined)).toBe(false);
  });

  test('keeps its data and does not join Y where that is the setting', () => {
    hasData = true;
    const membership = open({ onMismatch: 'refuse' });
    const join = (): void => membership.join('Y', 'Y');
    expect(join).toThrow('let mismatched data be set aside in the configuration');
    expect(setAside).toEqual([]);
    expect(kept()).toBe('X');
  });

  test('joins neither when the lease names X and the primary Y: two clusters share an address', () => {
    hasData = true;
    const membership = open();
    expect(() => membership.join('Y', 'X')).toThrow('two clusters share one lease or one address');
    expect(setAside).toEqual([]);
    expect(kept()).toBe('X');
  });

  test('does not lead with data under the lease of Y', async () => {
    hasData = true;
    await expect(open().claim(storeOf('Y'), 'Y')).rejects.toMatchObject({
      code: 'cluster_mismatch',
    });
    expect(kept()).toBe('X');
  });

  test('does not start under a configuration that names Y', () => {
    expect(() => open({ configuredId: 'Y' })).toThrow(
      'belongs to cluster X, and the configuration',
    );
    expect(open({ configuredId: 'X' }).id).toBe('X');
  });
});
