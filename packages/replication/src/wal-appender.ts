import { randomInt } from 'node:crypto';
import { fdatasyncSync, readSync, writeSync } from 'node:fs';
import type { DatabaseSync } from 'node:sqlite';
import { assert } from '@tandem/base';
import {
  blockOfFrame,
  encodeFrame,
  encodeWalHeader,
  encodeWalIndexHeader,
  FRAME_HEADER_BYTES,
  frameOffset,
  WAL_HEADER_BYTES,
  WAL_INDEX_BLOCK_BYTES,
  WAL_INDEX_COPY_BYTES,
  WalChecksum,
  type WalIndexChange,
  type WalIndexFields,
  WalIndexBlock,
} from '@tandem/sqlite-format';
import type { OpenDatabase } from './open-database.ts';
import { ReplicationError } from './replication-error.ts';
import type { WalCursor } from './wal-cursor.ts';
import { WriteLock } from './write-lock.ts';

/** Frames are gathered up to this size before they are written. */
const BUFFER_BYTES = 1 << 20;
/** From this many entries on, writing the whole block costs less than writing each. */
const ENTRIES_PER_BLOCK_WRITE = 48;

/** What became of an attempt to empty the log. */
export type CheckpointOutcome =
  /** The log is empty. */
  | 'emptied'
  /** Readers still use frames; the log goes on growing for now. */
  | 'busy'
  /** Another program committed while the fence was down (R5). */
  | 'foreign-write';

/**
 * Writes transactions to a database behind SQLite's back and under its own write lock: frames to
 * the log, entries to the wal-index, then the wal-index's header, which makes them visible. Readers
 * in any process go on undisturbed, and no other program can write meanwhile.
 *
 * R3. The connection that holds the lock never reads pages: it is not told of the new frames and
 * would take them for damage. R4. Frames are written before the entries, the entries before the
 * second copy of the header, that before the first: a reader or a crash at any point finds the
 * state before or the state after.
 */
export class WalAppender {
  readonly #open: OpenDatabase;
  readonly #pageSize: number;
  readonly #checkpointer: DatabaseSync;
  #fence: WriteLock;
  #fields: WalIndexFields;
  #hasWalHeader = false;
  readonly #checksum = new WalChecksum();
  /** The block that holds the newest frames, as it is in the file. */
  #block: WalIndexBlock | undefined;
  readonly #buffer: Buffer;
  /** Frames in the buffer, and their page numbers. */
  readonly #buffered: number[] = [];
  /** Frames of the transaction under way that are in the file already. */
  #written = 0;
  /** The checksum before the last frame in the buffer. */
  #beforeLast: readonly [number, number] = [0, 0];
  readonly #copy = new Uint8Array(WAL_INDEX_COPY_BYTES);

  /** Keeps `fence`, the write lock, until `close`. */
  constructor(open: OpenDatabase, pageSize: number, fence: WriteLock) {
    this.#open = open;
    this.#fence = fence;
    this.#pageSize = pageSize;
    const frames = Math.max(2, Math.floor(BUFFER_BYTES / (FRAME_HEADER_BYTES + pageSize)));
    this.#buffer = Buffer.allocUnsafeSlow(frames * (FRAME_HEADER_BYTES + pageSize));
    this.#checkpointer = open.connect();
    // A checkpoint that waited for readers would hold up this thread.
    this.#checkpointer.exec('PRAGMA busy_timeout = 0');
    this.#fields = this.#readFields();
  }

  /** The place after the last committed frame. */
  get cursor(): WalCursor {
    const { pageSize, salt1, salt2, isBigEndianChecksum } = this.#fields;
    return {
      generation: { pageSize, salt1, salt2, isBigEndianChecksum },
      position: {
        frame: this.#fields.mxFrame,
        s0: this.#fields.frameChecksum1,
        s1: this.#fields.frameChecksum2,
      },
    };
  }

  /** Committed frames in the log. */
  get frames(): number {
    return this.#fields.mxFrame;
  }

  /** Adds a page to the transaction under way. `data` is copied. */
  write(pgno: number, data: Uint8Array): void {
    if ((this.#buffered.length + 1) * this.#frameBytes > this.#buffer.length) this.#flush();
    this.#beforeLast = [this.#checksum.s0, this.#checksum.s1];
    this.#encode(this.#buffered.length, { pgno, commit: 0, page: data });
    this.#buffered.push(pgno);
  }

  /**
   * Makes the transaction under way visible. A transaction without pages changes nothing.
   *
   * @param pageCount - pages of the database from now on
   * @param sync - whether the log is synced to the disk first
   */
  commit(pageCount: number, sync: boolean): void {
    const last = this.#buffered.length - 1;
    const pgno = this.#buffered[last];
    if (pgno === undefined) return;
    const start = last * this.#frameBytes + FRAME_HEADER_BYTES;
    this.#checksum.reset(...this.#beforeLast);
    const page = this.#buffer.subarray(start, start + this.#pageSize);
    this.#encode(last, { pgno, commit: pageCount, page });
    this.#flush();
    if (sync) fdatasyncSync(this.#open.walFd);
    const { s0, s1 } = this.#checksum;
    this.#publish({
      ...this.#fields,
      changeCounter: (this.#fields.changeCounter + 1) >>> 0,
      mxFrame: this.#fields.mxFrame + this.#written,
      pageCount,
      frameChecksum1: s0,
      frameChecksum2: s1,
    });
    this.#written = 0;
  }

  /** Forgets the transaction under way; the next one overwrites its frames. */
  abort(): void {
    this.#buffered.length = 0;
    this.#written = 0;
    this.#checksum.reset(this.#fields.frameChecksum1, this.#fields.frameChecksum2);
  }

  /**
   * Copies the log into the database and empties it, as far as readers allow. The fence is down from
   * here until SQLite's checkpoint has the write lock, and again from its end: the fence's own
   * snapshot would keep newer frames from being copied.
   */
  checkpoint(): CheckpointOutcome {
    assert(this.#written === 0 && this.#buffered.length === 0, 'no transaction is under way');
    const before = this.#fields.changeCounter;
    // A new lock is on a new connection: the page cache of the old one is of no use any more (R3).
    this.#fence.release();
    const result = this.#checkpointer.prepare('PRAGMA wal_checkpoint(TRUNCATE)').get();
    this.#fence = WriteLock.take(this.#open);
    this.#fields = this.#readFields();
    // R5. Every commit of SQLite raises the counter, a checkpoint does not.
    if (this.#fields.changeCounter !== before) return 'foreign-write';
    return result?.busy === 0 ? 'emptied' : 'busy';
  }

  /** Ends and hands the write lock over, still held. */
  close(): WriteLock {
    this.#open.disconnect(this.#checkpointer);
    return this.#fence;
  }

  get #frameBytes(): number {
    return FRAME_HEADER_BYTES + this.#pageSize;
  }

  #readFields(): WalIndexFields {
    const header = this.#open.readWalIndexHeader();
    this.#block = undefined;
    this.#hasWalHeader = header.mxFrame > 0;
    this.#checksum.reset(header.frameChecksum1, header.frameChecksum2);
    return header;
  }

  #encode(index: number, frame: { pgno: number; commit: number; page: Uint8Array }): void {
    if (!this.#hasWalHeader) this.#writeWalHeader();
    encodeFrame(this.#buffer, index * this.#frameBytes, frame, {
      generation: this.#fields,
      checksum: this.#checksum,
    });
  }

  /** An empty log begins with a header that carries the salts of the wal-index. */
  #writeWalHeader(): void {
    const isFresh = this.#fields.salt1 === 0 && this.#fields.salt2 === 0;
    const salt1 = isFresh ? randomInt(2 ** 32) : this.#fields.salt1;
    const salt2 = isFresh ? randomInt(2 ** 32) : this.#fields.salt2;
    const bytes = new Uint8Array(WAL_HEADER_BYTES);
    const fields = { ...this.#fields, pageSize: this.#pageSize, salt1, salt2 };
    const header = encodeWalHeader({ ...fields, checkpointSequence: 0 }, bytes);
    writeFully(this.#open.walFd, bytes, 0);
    this.#fields = {
      ...fields,
      frameChecksum1: header.checksum1,
      frameChecksum2: header.checksum2,
    };
    this.#checksum.reset(header.checksum1, header.checksum2);
    this.#beforeLast = [header.checksum1, header.checksum2];
    this.#hasWalHeader = true;
  }

  #flush(): void {
    const first = this.#fields.mxFrame + this.#written + 1;
    const bytes = this.#buffer.subarray(0, this.#buffered.length * this.#frameBytes);
    writeFully(this.#open.walFd, bytes, frameOffset(first, this.#pageSize));
    let changes: WalIndexChange[] = [];
    for (const [index, pgno] of this.#buffered.entries()) {
      const block = this.#blockOf(first + index);
      if (block !== this.#block) {
        this.#writeEntries(changes);
        changes = [];
        this.#block = block;
      }
      changes.push(this.#enter(block, first + index, pgno));
    }
    this.#writeEntries(changes);
    this.#written += this.#buffered.length;
    this.#buffered.length = 0;
  }

  #enter(block: WalIndexBlock, frame: number, pgno: number): WalIndexChange {
    const change = block.append(frame, pgno);
    if (change !== undefined) return change;
    throw new ReplicationError('wal_index_unreadable', `${this.#open.path}-shm is damaged`, {
      hint: 'Stop every program that uses the database, delete the -shm file, and start again.',
    });
  }

  #blockOf(frame: number): WalIndexBlock {
    const number = blockOfFrame(frame);
    if (this.#block?.blockNumber === number) return this.#block;
    const bytes = new Uint8Array(WAL_INDEX_BLOCK_BYTES);
    readSync(this.#open.walIndexFd, bytes, 0, bytes.length, number * WAL_INDEX_BLOCK_BYTES);
    return new WalIndexBlock(number, bytes);
  }

  #writeEntries(changes: readonly WalIndexChange[]): void {
    const block = this.#block;
    if (block === undefined || changes.length === 0) return;
    const descriptor = this.#open.walIndexFd;
    if (changes.length >= ENTRIES_PER_BLOCK_WRITE || changes.some(({ isReset }) => isReset)) {
      writeFully(descriptor, block.contents.bytes, block.contents.offset);
      return;
    }
    for (const { pgnoOffset, hashOffset } of changes) {
      const pgnoAt = pgnoOffset - block.offset;
      const hashAt = hashOffset - block.offset;
      writeFully(descriptor, block.bytes.subarray(pgnoAt, pgnoAt + 4), pgnoOffset);
      writeFully(descriptor, block.bytes.subarray(hashAt, hashAt + 2), hashOffset);
    }
  }

  #publish(fields: WalIndexFields): void {
    encodeWalIndexHeader(fields, this.#copy);
    writeFully(this.#open.walIndexFd, this.#copy, WAL_INDEX_COPY_BYTES);
    writeFully(this.#open.walIndexFd, this.#copy, 0);
    this.#fields = fields;
  }
}

function writeFully(descriptor: number, bytes: Uint8Array, offset: number): void {
  let done = 0;
  while (done < bytes.length) {
    done += writeSync(descriptor, bytes, done, bytes.length - done, offset + done);
  }
}
