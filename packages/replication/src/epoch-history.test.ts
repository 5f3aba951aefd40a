import { AssertionError } from '@tandem/base';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  comparePositions,
  EpochHistory,
  formatPosition,
  parsePosition,
  tryParsePosition,
  type Position,
} from './epoch-history.ts';

/** A history in which these epochs began, each with its first transaction. */
function history(
  ...starts: readonly (readonly [epoch: number, firstTxid: number])[]
): EpochHistory {
  return starts.reduce((so, [epoch, firstTxid]) => so.begin(epoch, firstTxid), EpochHistory.EMPTY);
}

describe('EpochHistory', () => {
  it('names the epoch that wrote a transaction', () => {
    const three = history([1, 1], [4, 11], [5, 12]);
    expect([0, 1, 10, 11, 12, 99].map((txid) => three.epochOf(txid))).toEqual([0, 1, 1, 4, 5, 5]);
    expect(three.positionOf(11)).toEqual({ epoch: 4, txid: 11 });
    expect(EpochHistory.EMPTY.positionOf(0)).toEqual({ epoch: 0, txid: 0 });
  });

  it('refuses an epoch that is not above all it has seen', () => {
    const two = history([1, 1], [3, 5]);
    for (const epoch of [1, 2, 3]) {
      expect(() => two.begin(epoch, 9)).toThrow(
        expect.objectContaining({ code: 'epoch_outdated', hint: expect.stringContaining('3') }),
      );
    }
    expect(() => two.observe(2)).toThrow(expect.objectContaining({ code: 'epoch_outdated' }));
    expect(two.observe(3)).toBe(two);
    expect(() => two.observe(7).begin(7, 9)).toThrow(/Epoch 7/);
    expect(two.begin(4, 9).epochOf(9)).toBe(4);
  });

  it('does not begin inside of what an earlier epoch is known to have begun', () => {
    expect(() => history([1, 1], [3, 5]).begin(4, 4)).toThrow(AssertionError);
  });

  it('forgets an epoch that wrote nothing, but not that it was', () => {
    const two = history([1, 1], [3, 5], [4, 5]);
    expect(two.starts).toEqual([
      { epoch: 1, firstTxid: 1 },
      { epoch: 4, firstTxid: 5 },
    ]);
    const cut = two.truncateAfter(4);
    expect(cut.starts).toEqual([{ epoch: 1, firstTxid: 1 }]);
    expect(cut.highestEpoch).toBe(4);
  });

  it('shares with another what both hold before their epochs part', () => {
    const old = history([1, 1], [2, 51]);
    const fresh = history([1, 1], [2, 51], [3, 101]);
    expect(old.lastShared(fresh, 200, 120)).toBe(100);
    expect(fresh.lastShared(old, 120, 200)).toBe(100);
    expect(old.lastShared(fresh, 100, 80)).toBe(80);
    expect(old.lastShared(old, 70, 120)).toBe(70);
    expect(history([1, 1], [3, 101]).lastShared(history([1, 1], [4, 121]), 130, 110)).toBe(100);
  });

  it('shares nothing with a stranger or an empty one', () => {
    expect(history([1, 1]).lastShared(history([2, 1]), 9, 9)).toBe(0);
    expect(history([1, 1]).lastShared(EpochHistory.EMPTY, 0, 9)).toBe(0);
    expect(EpochHistory.EMPTY.lastShared(history([1, 1]), 9, 0)).toBe(0);
  });

  it('refuses to adopt from one that has not heard of its epoch', () => {
    const ahead = history([1, 1]).observe(9);
    expect(() => ahead.adopt(history([1, 1], [2, 5]), 4)).toThrow(
      expect.objectContaining({ code: 'epoch_outdated' }),
    );
  });

  it('adopts what wrote through a transaction and what writes the next', () => {
    const primary = history([1, 1], [2, 11], [3, 21]);
    const epochsAt = (txid: number): number[] =>
      EpochHistory.EMPTY.adopt(primary, txid).starts.map(({ epoch }) => epoch);
    expect(epochsAt(9)).toEqual([1]);
    expect(epochsAt(10)).toEqual([1, 2]);
    expect(epochsAt(20)).toEqual([1, 2, 3]);
    expect(EpochHistory.EMPTY.adopt(primary, 0).highestEpoch).toBe(3);
  });

  it('forgets the oldest epochs at some number, and still finds what it shares', () => {
    let long = EpochHistory.EMPTY;
    for (let epoch = 1; epoch <= 5000; epoch += 1) long = long.begin(epoch, epoch * 10);
    expect(long.starts).toHaveLength(4096);
    expect(long.epochOf(10)).toBe(0);
    const behind = long.truncateAfter(40_000);
    const diverged = behind.begin(6000, 40_005);
    expect(diverged.lastShared(long, 50_010, 40_100)).toBe(40_004);
    expect(EpochHistory.parse(JSON.parse(JSON.stringify(long)))).toEqual(long);
  });

  it('comes back from JSON', () => {
    const three = history([1, 1], [4, 11]).observe(8);
    expect(EpochHistory.parse(JSON.parse(JSON.stringify(three)))).toEqual(three);
    expect(EpochHistory.parse({ highestEpoch: 0, starts: [] })).toEqual(EpochHistory.EMPTY);
  });

  it('is not made of damaged JSON', () => {
    const start = { epoch: 1, firstTxid: 1 };
    for (const value of [
      null,
      'text',
      {},
      { highestEpoch: 1 },
      { highestEpoch: -1, starts: [] },
      { highestEpoch: 1, starts: [null] },
      { highestEpoch: 1, starts: [{ epoch: 1 }] },
      { highestEpoch: 1, starts: [{ epoch: 0, firstTxid: 1 }] },
      { highestEpoch: 1, starts: [{ epoch: 1, firstTxid: 1.5 }] },
      { highestEpoch: 2, starts: [start, start] },
      { highestEpoch: 2, starts: [start, { epoch: 2, firstTxid: 1 }] },
      { highestEpoch: 1, starts: [{ epoch: 2, firstTxid: 1 }] },
    ]) {
      expect(() => EpochHistory.parse(value)).toThrow(
        expect.objectContaining({ code: 'state_damaged' }),
      );
    }
  });
});

/** A node that keeps its transactions as what they are: each with a text nobody else writes. */
interface Node {
  readonly contents: string[];
  history: EpochHistory;
}

const step = fc.record({
  leader: fc.nat(3),
  writes: fc.nat(4),
  follower: fc.nat(3),
  copies: fc.nat(6),
  becomesPrimary: fc.boolean(),
});

describe('nodes that follow changing primaries', () => {
  it('always know how far they share their transactions', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        const nodes = [0, 1, 2, 3].map((): Node => ({ contents: [], history: EpochHistory.EMPTY }));
        let epoch = 0;
        for (const { leader, writes, follower, copies, becomesPrimary } of steps) {
          const [primary, replica] = [nodes[leader], nodes[follower]];
          if (primary === undefined || replica === undefined) continue;
          if (becomesPrimary) {
            epoch += 1;
            primary.history = primary.history.begin(epoch, primary.contents.length + 1);
            for (let write = 1; write <= writes; write += 1) {
              primary.contents.push(`epoch ${epoch}, write ${write}`);
            }
          }
          expectExactShare(nodes);
          if (replica === primary) continue;
          if (primary.history.highestEpoch < replica.history.highestEpoch) {
            expect(() => replica.history.adopt(primary.history, 0)).toThrow(/Epoch/);
          } else follow(replica, primary, copies);
          expectExactShare(nodes);
        }
      }),
      { numRuns: 300 },
    );
  });
});

function follow(replica: Node, primary: Node, copies: number): void {
  const shared = sharedOf(replica, primary);
  replica.contents.splice(shared);
  replica.contents.push(...primary.contents.slice(shared, shared + copies));
  replica.history = replica.history
    .truncateAfter(shared)
    .adopt(primary.history, replica.contents.length);
}

function sharedOf(node: Node, other: Node): number {
  return node.history.lastShared(other.history, other.contents.length, node.contents.length);
}

function expectExactShare(nodes: readonly Node[]): void {
  for (const node of nodes) {
    for (const other of nodes) {
      const differing = node.contents.findIndex((text, index) => text !== other.contents[index]);
      expect(sharedOf(node, other)).toBe(differing === -1 ? node.contents.length : differing);
    }
    for (const [index, text] of node.contents.entries()) {
      expect(text).toMatch(new RegExp(`^epoch ${node.history.epochOf(index + 1)},`));
    }
  }
}

describe('positions', () => {
  const number = fc.maxSafeNat();
  const position = fc.record({ epoch: number, txid: number });

  it('are written as two numbers of 16 digits', () => {
    expect(formatPosition({ epoch: 3, txid: 255 })).toBe('0000000000000003.00000000000000ff');
    expect(() => formatPosition({ epoch: 1.5, txid: 1 })).toThrow(AssertionError);
  });

  it('are read as they were written, and sort as texts', () => {
    const sign = (a: Position, b: Position): number => Math.sign(comparePositions(a, b));
    fc.assert(
      fc.property(position, position, (a, b) => {
        expect(parsePosition(formatPosition(a))).toEqual(a);
        const [textA, textB] = [formatPosition(a), formatPosition(b)];
        expect(sign(a, b)).toBe(textA === textB ? 0 : textA < textB ? -1 : 1);
      }),
    );
    expect(comparePositions({ epoch: 2, txid: 1 }, { epoch: 1, txid: 9 })).toBeGreaterThan(0);
    expect(comparePositions({ epoch: 2, txid: 1 }, { epoch: 2, txid: 9 })).toBeLessThan(0);
  });

  it('are nothing else', () => {
    for (const text of [
      '',
      '3.ff',
      '0000000000000003',
      '0000000000000003.00000000000000FF',
      '0000000000000003.00000000000000ff\n',
      '0020000000000000.0000000000000001',
      '0000000000000001.0020000000000000',
    ]) {
      expect(tryParsePosition(text)).toBeUndefined();
      expect(() => parsePosition(text)).toThrow(expect.objectContaining({ code: 'bad_position' }));
    }
  });
});
