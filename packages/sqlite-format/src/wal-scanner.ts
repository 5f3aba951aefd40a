import { assert } from '@tandem/base';
import { WalChecksum } from './wal-checksum.ts';
import { FRAME_CHECKED_BYTES, FRAME_HEADER_BYTES } from './wal-frame.ts';
import type { WalGeneration } from './wal-header.ts';
import type { WalPosition } from './wal-position.ts';

/** A transaction in the WAL, verified up to and including its commit. */
export interface WalTransaction {
  readonly firstFrame: number;
  readonly lastFrame: number;
  /** Pages of the database after the transaction. */
  readonly pageCount: number;
  /**
   * The frame with the last version of each page the transaction wrote, by page number, not in any
   * order. Pages beyond `pageCount` are left out: they were written to the WAL for want of memory
   * before the transaction shrank the database.
   */
  readonly pages: ReadonlyMap<number, number>;
  /** The position after the transaction. */
  readonly end: WalPosition;
}

/**
 * Why a scan went no further. None of these is an error; they are how a WAL ends.
 *
 * - `input`: all bytes were read; what comes after them may go on.
 * - `partial`: so were all whole frames, but a part of one is left over.
 * - `salt`: the next frame is of another generation, or was never written.
 * - `checksum`: the next frame has the right salts but was not written whole or not after these.
 * - `pgno`: the next frame names page 0, which SQLite takes for the end.
 */
export type WalScanEnd = 'input' | 'partial' | 'salt' | 'checksum' | 'pgno';

/** What `push` has found. */
export interface WalScan {
  /** The transactions that these frames complete, in order. */
  readonly transactions: readonly WalTransaction[];
  readonly end: WalScanEnd;
}

/**
 * Verifies the frames of one generation of a WAL, one after the other, and finds its transactions.
 * It holds one transaction's page numbers, never pages: whoever pushes the frames has them.
 *
 * The frames after the last commit are not final. A writer that rolls back overwrites them with
 * others under the same salts, and only `rewind` makes a scanner that has taken them in see those.
 * Pushing no frames beyond the wal-index's `mxFrame` avoids that.
 */
export class WalScanner {
  readonly #generation: WalGeneration;
  readonly #checksum: WalChecksum;
  /** The last verified frame. */
  #frame: number;
  /** After the last commit. */
  #committed: WalPosition;
  /** Of the transaction under way. */
  #pages = new Map<number, number>();

  /** Starts after a commit: at `walStart` of the header or a kept `committed` or `end`. */
  constructor(generation: WalGeneration, start: WalPosition) {
    this.#generation = generation;
    this.#checksum = new WalChecksum(start.s0, start.s1);
    this.#frame = start.frame;
    this.#committed = { frame: start.frame, s0: start.s0, s1: start.s1 };
  }

  /** The number of the frame that has to come next. */
  get nextFrame(): number {
    return this.#frame + 1;
  }

  /** The position after the last transaction, from which another scanner can go on. */
  get committed(): WalPosition {
    return this.#committed;
  }

  /** Forgets the frames after the last commit; they will have to be pushed again. */
  rewind(): void {
    this.#frame = this.#committed.frame;
    this.#checksum.reset(this.#committed.s0, this.#committed.s1);
    this.#pages.clear();
  }

  /**
   * Takes in the frames that `bytes` holds, header and page each, the first being `startFrame`,
   * which has to be `nextFrame`. Whatever the end, scanning goes on with `nextFrame` when more has
   * been written.
   */
  push(bytes: Uint8Array, startFrame: number): WalScan {
    assert(startFrame === this.nextFrame, 'frames are pushed without gap and without overlap');
    const { pageSize, salt1, salt2 } = this.#generation;
    const frameBytes = FRAME_HEADER_BYTES + pageSize;
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    const transactions: WalTransaction[] = [];
    let at = 0;
    for (; at + frameBytes <= bytes.length; at += frameBytes) {
      const pgno = view.getUint32(at);
      if (view.getUint32(at + 8) !== salt1 || view.getUint32(at + 12) !== salt2) {
        return { transactions, end: 'salt' };
      }
      if (pgno === 0) return { transactions, end: 'pgno' };
      if (!this.#verify(bytes, view, at)) return { transactions, end: 'checksum' };
      this.#frame += 1;
      this.#pages.set(pgno, this.#frame);
      const commit = view.getUint32(at + 4);
      if (commit > 0) transactions.push(this.#commit(commit));
    }
    return { transactions, end: at === bytes.length ? 'input' : 'partial' };
  }

  /** Moves the checksum on over the frame at `at`, or leaves it where it is when it does not fit. */
  #verify(bytes: Uint8Array, view: DataView, at: number): boolean {
    const checksum = this.#checksum;
    const { s0, s1 } = checksum;
    const { pageSize, isBigEndianChecksum } = this.#generation;
    const pageStart = at + FRAME_HEADER_BYTES;
    checksum.update(bytes, at, at + FRAME_CHECKED_BYTES, isBigEndianChecksum);
    checksum.update(bytes, pageStart, pageStart + pageSize, isBigEndianChecksum);
    if (checksum.s0 === view.getUint32(at + 16) && checksum.s1 === view.getUint32(at + 20)) {
      return true;
    }
    checksum.reset(s0, s1);
    return false;
  }

  #commit(pageCount: number): WalTransaction {
    const pages = this.#pages;
    this.#pages = new Map();
    for (const pgno of pages.keys()) if (pgno > pageCount) pages.delete(pgno);
    const firstFrame = this.#committed.frame + 1;
    const end = { frame: this.#frame, s0: this.#checksum.s0, s1: this.#checksum.s1 };
    this.#committed = end;
    return { firstFrame, lastFrame: end.frame, pageCount, pages, end };
  }
}
