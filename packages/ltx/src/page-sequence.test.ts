import { expect, it } from 'vitest';
import type { LtxHeader } from './ltx-header.ts';
import { lockPage } from './page-checksum.ts';
import { PageSequence } from './page-sequence.ts';

const PAGE_SIZE = 65_536;
const LOCK = lockPage(PAGE_SIZE);

function headerOf(commit: number, minTxid: number): LtxHeader {
  return {
    pageSize: PAGE_SIZE,
    commit,
    minTxid,
    maxTxid: 2,
    timestampMs: 0,
    preApplyChecksum: 0n,
    walOffsetBytes: 0,
    walSizeBytes: 0,
    walSalt1: 0,
    walSalt2: 0,
    nodeId: 0n,
    isChecksummed: false,
  };
}

/** A snapshot's sequence after all pages up to `last` but the lock page. */
function snapshotUpTo(commit: number, last: number): PageSequence {
  const sequence = new PageSequence(headerOf(commit, 1));
  for (let pgno = 1; pgno <= last; pgno += 1) {
    if (pgno !== LOCK) sequence.accept(pgno);
  }
  return sequence;
}

it('a snapshot of more than 1 GiB leaves out the lock page and nothing else', () => {
  expect(() => snapshotUpTo(LOCK + 1, LOCK + 1).end()).not.toThrow();
  expect(() => snapshotUpTo(LOCK + 1, LOCK - 1).end()).toThrow(`lacks page ${LOCK + 1}`);
  expect(() => snapshotUpTo(LOCK + 1, LOCK - 1).accept(LOCK)).toThrow(/is the lock page/);
  expect(() => snapshotUpTo(LOCK + 1, LOCK - 2).accept(LOCK + 1)).toThrow(`lacks page ${LOCK - 1}`);
});

it('a snapshot that ends with the lock page or before it is complete without it', () => {
  for (const commit of [LOCK - 1, LOCK]) {
    expect(() => snapshotUpTo(commit, LOCK - 1).end()).not.toThrow();
    expect(() => snapshotUpTo(commit, LOCK - 2).end()).toThrow(`lacks page ${LOCK - 1}`);
  }
});

it('an increment may hold any pages but the lock page', () => {
  const sequence = new PageSequence(headerOf(LOCK + 9, 2));
  for (const pgno of [5, LOCK - 1, LOCK + 1, LOCK + 9]) {
    expect(() => sequence.accept(pgno)).not.toThrow();
  }
  expect(() => sequence.end()).not.toThrow();
  expect(() => new PageSequence(headerOf(LOCK + 9, 2)).accept(LOCK)).toThrow(/is the lock page/);
});
