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
} from '@tandem/sqlite-format';
import type { OpenDatabase } from './open-database.ts';
import { ReplicationError } from './replication-error.ts';

/** Tries to find a moment at which no checkpoint is ending. */
const ATTEMPTS_MAX = 100;

/**
 * All pages of a database as they were at one moment, read past SQLite while others go on writing.
 * A read transaction keeps the frames and pages of that moment in place until `close`.
 */
export class ConsistentView {
  readonly pageCount: number;
  readonly pageSize: number;
  readonly #open: OpenDatabase;
  readonly #reader: DatabaseSync;
  /** The frame with each page that the log holds; empty when the view is of the database alone. */
  readonly #frames: ReadonlyMap<number, number>;

  private constructor(open: OpenDatabase, size: PageExtent, held: HeldSnapshot) {
    this.pageSize = size.pageSize;
    this.pageCount = size.pageCount;
    this.#open = open;
    this.#reader = held.reader;
    this.#frames = held.frames;
  }

  /**
   * Opens a view. The caller holds SQLite's write lock, so that nothing is committed meanwhile.
   *
   * @throws ReplicationError `database_locked` when checkpoints keep ending at the wrong moment.
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

  /** The numbers of all pages but the lock page, ascending. */
  *pgnos(): Generator<number> {
    const skipped = lockPage(this.pageSize);
    for (let pgno = 1; pgno <= this.pageCount; pgno += 1) if (pgno !== skipped) yield pgno;
  }

  close(): void {
    this.#open.disconnect(this.#reader);
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

/**
 * SQLite lets a reader look at the database alone when the whole log has been copied at the moment
 * it begins: the frames may then be overwritten. Else it looks at the log, and they may not. Which of
 * the two it was shows only when no checkpoint ended around that moment.
 */
function hold(open: OpenDatabase): HeldSnapshot {
  for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt += 1) {
    const before = open.readWalIndexHeader();
    const reader = open.connect();
    reader.exec('BEGIN');
    reader.exec('SELECT 1 FROM sqlite_schema LIMIT 1');
    const after = open.readWalIndexHeader();
    const wasCopied = before.backfilledFrames === before.mxFrame;
    const isCopied = after.backfilledFrames === after.mxFrame;
    if (wasCopied === isCopied) {
      return { reader, frames: isCopied ? new Map() : framesOf(open, after.mxFrame) };
    }
    open.disconnect(reader);
  }
  throw new ReplicationError('database_locked', `${open.path} is being checkpointed all the time`, {
    retryable: true,
    hint: 'Another program checkpoints without pause. Leave checkpoints to Tandem.',
  });
}

/** The last frame of each page, from the page numbers that the wal-index lists. */
function framesOf(open: OpenDatabase, mxFrame: number): Map<number, number> {
  const frames = new Map<number, number>();
  for (let number = 0; number <= blockOfFrame(mxFrame); number += 1) {
    const bytes = new Uint8Array(WAL_INDEX_BLOCK_BYTES);
    readSync(open.walIndexFd, bytes, 0, bytes.length, number * WAL_INDEX_BLOCK_BYTES);
    const block = new WalIndexBlock(number, bytes);
    const end = Math.min(mxFrame, firstFrameOfBlock(number + 1) - 1);
    for (let frame = firstFrameOfBlock(number); frame <= end; frame += 1) {
      frames.set(block.pgnoOf(frame), frame);
    }
  }
  return frames;
}
