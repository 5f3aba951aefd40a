import { assert } from '@tandem/base';
import {
  WalChecksum,
  WalIndexBlock,
  WAL_INDEX_BLOCK_BYTES,
  blockOfFrame,
  encodeFrame,
  encodeWalHeader,
  encodeWalIndexHeader,
  frameOffset,
  parseWalIndexHeader,
  type WalIndexHeader,
} from '../src/index.ts';
import type { LiveDatabase } from './live-database.ts';

/** What a transaction makes of a database. */
export interface PageChange {
  readonly pages: ReadonlyMap<number, Uint8Array>;
  readonly pageCount: number;
}

/**
 * Appends a transaction to a database's WAL and wal-index by hand, under the write lock that the
 * first connection takes. That connection must never read.
 */
export function handAppend(live: LiveDatabase, change: PageChange): void {
  live.sql.exec('BEGIN IMMEDIATE');
  try {
    const before = parseWalIndexHeader(live.read('-shm', 0, 136));
    assert(before !== undefined, 'the wal-index is whole under the write lock');
    const start = before.mxFrame === 0 ? startWal(live, before, change) : before;
    const checksum = writeFrames(live, start, change);
    const mxFrame = start.mxFrame + change.pages.size;
    enterFrames(live, start.mxFrame + 1, [...change.pages.keys()]);
    const header = new Uint8Array(48);
    encodeWalIndexHeader(
      {
        ...start,
        changeCounter: (start.changeCounter + 1) >>> 0,
        mxFrame,
        pageCount: change.pageCount,
        frameChecksum1: checksum.s0,
        frameChecksum2: checksum.s1,
      },
      header,
    );
    live.write('-shm', header, 48);
    live.write('-shm', header, 0);
  } finally {
    live.sql.exec('ROLLBACK');
  }
}

function startWal(live: LiveDatabase, index: WalIndexHeader, change: PageChange): WalIndexHeader {
  const [page] = change.pages.values();
  assert(page !== undefined, 'a transaction has a page');
  // SQLite makes salts up when the first WAL begins; until then there are none.
  const salts = index.salt1 === 0 && index.salt2 === 0 ? { salt1: 17, salt2: 4711 } : {};
  const started = { ...index, ...salts, pageSize: page.length };
  const bytes = new Uint8Array(32);
  const header = encodeWalHeader({ ...started, checkpointSequence: 0 }, bytes);
  live.write('-wal', bytes, 0);
  return { ...started, frameChecksum1: header.checksum1, frameChecksum2: header.checksum2 };
}

function writeFrames(live: LiveDatabase, start: WalIndexHeader, change: PageChange): WalChecksum {
  const { pageSize } = start;
  const frameBytes = 24 + pageSize;
  const checksum = new WalChecksum(start.frameChecksum1, start.frameChecksum2);
  const into = new Uint8Array(change.pages.size * frameBytes);
  let offset = 0;
  for (const [pgno, page] of change.pages) {
    const isLast = offset + frameBytes === into.length;
    const commit = isLast ? change.pageCount : 0;
    encodeFrame(into, offset, { pgno, commit, page }, { generation: start, checksum });
    offset += frameBytes;
  }
  live.write('-wal', into, frameOffset(start.mxFrame + 1, pageSize));
  return checksum;
}

function enterFrames(live: LiveDatabase, firstFrame: number, pgnos: readonly number[]): void {
  let block: WalIndexBlock | undefined;
  for (const [index, pgno] of pgnos.entries()) {
    const frame = firstFrame + index;
    const blockNumber = blockOfFrame(frame);
    if (block?.blockNumber !== blockNumber) {
      const bytes = new Uint8Array(WAL_INDEX_BLOCK_BYTES);
      bytes.set(live.read('-shm', blockNumber * WAL_INDEX_BLOCK_BYTES, WAL_INDEX_BLOCK_BYTES));
      block = new WalIndexBlock(blockNumber, bytes);
    }
    const change = block.append(frame, pgno);
    assert(change !== undefined, 'the block is sound');
    const { contents } = block;
    if (change.isReset) {
      live.write('-shm', contents.bytes, contents.offset);
      continue;
    }
    const { bytes, offset } = block;
    const pgnoAt = change.pgnoOffset - offset;
    const hashAt = change.hashOffset - offset;
    live.write('-shm', bytes.subarray(pgnoAt, pgnoAt + 4), change.pgnoOffset);
    live.write('-shm', bytes.subarray(hashAt, hashAt + 2), change.hashOffset);
  }
}
