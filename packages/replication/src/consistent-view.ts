import { readSync } from 'node:fs';
import type { DatabaseSync } from 'node:sqlite';
import {
  blockOfFrame,
  FRAME_HEADER_BYTES,
  firstFrameOfBlock,
  frameOffset,
  lockPage,
  WAL_INDEX_BLOCK_BYTES,
  WalIndexBlock,
  type WalIndexHeader,
} from '@tandem/sqlite-format';
import type { OpenDatabase } from './open-database.ts';

/**
 * All pages of a database as they were at one moment, read past SQLite while others go on writing.
 * A read transaction that began before that moment is held until `close`.
 *
 * R9. Nothing the view reads changes while the transaction is held. If that looks at frame n > 0 of
 * the log, the log cannot restart, and checkpoints copy only frames up to n, whose pages are read
 * from the log. If it looks at the file alone, nothing is copied at all, and the log restarts at
 * most once, before the moment or after everything in it had been copied.
 *
 * Frames that had been copied by then are passed over, as SQLite's readers do: of a page that was cut
 * off the database and has come back, frame and file hold different things.
 */
export class ConsistentView {
  readonly pageCount: number;
  readonly pageSize: number;
  readonly #open: OpenDatabase;
  readonly #reader: DatabaseSync;
  /** The frame with each page that is newer in the log than in the database. */
  readonly #frames: ReadonlyMap<number, number>;

  private constructor(open: OpenDatabase, size: PageExtent, held: HeldSnapshot) {
    this.pageSize = size.pageSize;
    this.pageCount = size.pageCount;
    this.#open = open;
    this.#reader = held.reader;
    this.#frames = held.frames;
  }

  /**
   * Opens a view of what is committed now. Where that has to be a position, the caller holds SQLite's
   * write lock, as a replica always does.
   *
   * @throws ReplicationError `database_locked`, `wal_index_unreadable`.
   */
  static open(open: OpenDatabase, size: PageExtent): ConsistentView {
    return new ConsistentView(open, size, hold(open));
  }

  /** Copies page `pgno`, from 1 to `pageCount`, to `into`. The lock page is all zeros. */
  readPage(pgno: number, into: Uint8Array): void {
    const frame = this.#frames.get(pgno);
    const [descriptor, offset] =
      frame === undefined
        ? [this.#open.databaseFd, (pgno - 1) * this.pageSize]
        : [this.#open.walFd, frameOffset(frame, this.pageSize) + FRAME_HEADER_BYTES];
    const isLockPage = pgno === lockPage(this.pageSize);
    const read = isLockPage ? 0 : readSync(descriptor, into, 0, this.pageSize, offset);
    // What lies beyond the end of the file has never been written.
    into.fill(0, read, this.pageSize);
  }

  /** Copies pages in a row, from `pgno` on, as many as `into` has room for. */
  readPages(pgno: number, into: Uint8Array): void {
    const end = pgno + into.length / this.pageSize;
    for (let first = pgno; first < end;) {
      let next = first;
      while (next < end && this.#isInFile(next)) next += 1;
      const from = (first - pgno) * this.pageSize;
      if (next > first) {
        const bytes = into.subarray(from, (next - pgno) * this.pageSize);
        const at = (first - 1) * this.pageSize;
        const read = readSync(this.#open.databaseFd, bytes, 0, bytes.length, at);
        bytes.fill(0, read);
      } else {
        this.readPage(first, into.subarray(from, from + this.pageSize));
        next += 1;
      }
      first = next;
    }
  }

  /** The numbers of all pages but the lock page, ascending. */
  *pgnos(): Generator<number> {
    const skipped = lockPage(this.pageSize);
    for (let pgno = 1; pgno <= this.pageCount; pgno += 1) if (pgno !== skipped) yield pgno;
  }

  close(): void {
    this.#open.disconnect(this.#reader);
  }

  #isInFile(pgno: number): boolean {
    return !this.#frames.has(pgno) && pgno !== lockPage(this.pageSize);
  }
}

/** How large a database is. */
export interface PageExtent {
  readonly pageSize: number;
  readonly pageCount: number;
}

interface HeldSnapshot {
  readonly reader: DatabaseSync;
  readonly frames: ReadonlyMap<number, number>;
}

function hold(open: OpenDatabase): HeldSnapshot {
  const reader = open.connect();
  try {
    open.beginRead(reader);
    return { reader, frames: newerFrames(open, open.readWalIndexHeader()) };
  } catch (error) {
    open.disconnect(reader);
    throw error;
  }
}

/** The last frame of each page that is not in the database yet, by what the wal-index lists. */
function newerFrames(open: OpenDatabase, header: WalIndexHeader): Map<number, number> {
  const { mxFrame, backfilledFrames } = header;
  const frames = new Map<number, number>();
  let first = backfilledFrames + 1;
  while (first <= mxFrame) {
    const number = blockOfFrame(first);
    const bytes = new Uint8Array(WAL_INDEX_BLOCK_BYTES);
    readSync(open.walIndexFd, bytes, 0, bytes.length, number * WAL_INDEX_BLOCK_BYTES);
    const block = new WalIndexBlock(number, bytes);
    const end = Math.min(mxFrame, firstFrameOfBlock(number + 1) - 1);
    for (let frame = first; frame <= end; frame += 1) frames.set(block.pgnoOf(frame), frame);
    first = end + 1;
  }
  return frames;
}
