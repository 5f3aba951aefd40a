import { describe, expect, test } from 'vitest';
import { judgeClientPosition } from './client-position.ts';
import { EpochHistory } from './epoch-history.ts';

describe('a node whose epochs 1 and 3 wrote 1 to 4 and from 5 on', () => {
  const history = EpochHistory.EMPTY.begin(1, 1).begin(3, 5);
  const judge = (epoch: number, txid: number, ownTxid = 6) =>
    judgeClientPosition({ epoch, txid }, history, ownTxid);

  test('has what its history holds', () => {
    expect(judge(1, 4)).toBe('reached');
    expect(judge(3, 6)).toBe('reached');
    expect(judge(7, 0)).toBe('reached');
  });

  test('waits for what its present epoch, or a later one, is still to bring', () => {
    expect(judge(3, 7)).toBe('awaited');
    expect(judge(4, 7)).toBe('awaited');
    expect(judge(4, 5)).toBe('awaited');
    expect(judge(1, 4, 2)).toBe('awaited');
  });

  test('does not wait for what an epoch wrote in vain', () => {
    expect(judge(1, 5)).toBe('lost');
    expect(judge(1, 9)).toBe('lost');
    expect(judge(2, 5)).toBe('lost');
    expect(judge(2, 7)).toBe('lost');
  });

  test('waits for the first transaction of an epoch that it knows by name', () => {
    expect(judgeClientPosition({ epoch: 9, txid: 7 }, history.observe(9), 6)).toBe('awaited');
  });
});

test('a node that is behind waits for an epoch whose beginning it has yet to see', () => {
  // The primary's epochs began at 1, 8 and 20; the node has come to 5.
  const primary = EpochHistory.EMPTY.begin(1, 1).begin(2, 8).begin(3, 20);
  const behind = EpochHistory.EMPTY.begin(1, 1).adopt(primary, 5);
  expect(judgeClientPosition({ epoch: 2, txid: 9 }, behind, 5)).toBe('awaited');
  expect(judgeClientPosition({ epoch: 2, txid: 9 }, primary, 25)).toBe('reached');
});

test('what is older than the history is there', () => {
  const young = EpochHistory.parse({ highestEpoch: 7, starts: [{ epoch: 7, firstTxid: 100 }] });
  expect(judgeClientPosition({ epoch: 2, txid: 9 }, young, 120)).toBe('reached');
});
