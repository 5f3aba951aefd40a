import { randomInt } from 'node:crypto';
import { fdatasyncSync, fstatSync, readSync } from 'node:fs';
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
import { fileFailure, ReplicationError } from './replication-error.ts';
import { nodeFiles, writeFully } from './small-file.ts';
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
  | 'busy';

/** The last frame that was written of the transaction under way; its page is in the buffer. */
interface LastFrame {
  readonly index: number;
  readonly pgno: number;
  /** The checksum before it. */
  readonly before: readonly [number, number];
}

/**
 * Writes transactions to a database behind SQLite's back and under its own write lock: frames to
 * the log, entries to the wal-index, then the wal-index's header, which makes them visible. Readers
 * in any process go on undisturbed, and no other program can write meanwhile.
 *
 * R3. The connection that holds the lock never reads pages: it is not told of the new frames and
 * would take them for damage. R4. Frames are written before the entries, the entries before the
 * second copy of the header, that before the first: a reader or a crash at any point finds the
 * state before or the state after. What ends a transaction in the log is written last of all frames,
 * by `commit`, so that a transaction that was only prepared is no transaction to anybody.
 */
export class WalAppender {
  readonly #open: OpenDatabase;
  readonly #pageSize: number;
  readonly #checkpointer: DatabaseSync;
  /** Undefined while the lock could not be taken back after a checkpoint. */
  #fence: WriteLock | undefined;
  #fields: WalIndexFields;
  #hasWalHeader = false;
  readonly #checksum = new WalChecksum();
  /** The block that holds the newest frames, as it is in the file. */
  #block: WalIndexBlock | undefined;
  /** Made when the first page is written: a node may have many databases that hardly change. */
  #buffer = Buffer.alloc(0);
  /** The page numbers of the frames in the buffer. */
  readonly #buffered: number[] = [];
  /** Frames of the transaction under way that are in the file already. */
  #written = 0;
  #last: LastFrame | undefined;
  readonly #copy = new Uint8Array(WAL_INDEX_COPY_BYTES);

  /** Keeps `fence`, the write lock, until `close`. */
  constructor(open: OpenDatabase, pageSize: number, fence: WriteLock) {
    this.#open = open;
    this.#fence = fence;
    this.#pageSize = pageSize;
    // A checkpoint that waited for readers would hold up this thread.
    this.#checkpointer = open.connect(0);
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

  /**
   * Takes the write lock again if it could not be taken back after a checkpoint. Comes before
   * anything is written.
   *
   * @returns false when another program has committed while the lock was not held (R5)
   * @throws ReplicationError `database_locked`
   */
  refence(): boolean {
    const before = this.#fields.changeCounter;
    if (this.#fence === undefined) {
      this.#fence = WriteLock.take(this.#open);
      this.#fields = this.#readFields();
    }
    // R5. Every commit of SQLite raises the counter, a checkpoint does not.
    return this.#fields.changeCounter === before;
  }

  /** Adds a page to the transaction under way. `data` is copied. */
  write(pgno: number, data: Uint8Array): void {
    assert(this.#fence !== undefined, 'the write lock is held');
    if (this.#buffer.length === 0) {
      const frames = Math.max(2, Math.floor(BUFFER_BYTES / this.#frameBytes));
      this.#buffer = Buffer.allocUnsafeSlow(frames * this.#frameBytes);
    }
    if ((this.#buffered.length + 1) * this.#frameBytes > this.#buffer.length) this.#flush();
    if (!this.#hasWalHeader) this.#writeWalHeader();
    const index = this.#buffered.length;
    this.#last = { index, pgno, before: [this.#checksum.s0, this.#checksum.s1] };
    this.#encode(index, { pgno, commit: 0, page: data });
    this.#buffered.push(pgno);
  }

  /** Whether pages have been written since the last commit. */
  get hasPages(): boolean {
    return this.#last !== undefined;
  }

  /** Writes everything but the mark that commits it: from here on, no room is needed any more. */
  prepare(): void {
    this.#flush();
  }

  /**
   * Makes the transaction under way visible. It has at least one page.
   *
   * @param pageCount - pages of the database from now on
   * @param sync - whether the log is synced to the disk first
   */
  commit(pageCount: number, sync: boolean): void {
    this.#flush();
    const last = this.#last;
    assert(last !== undefined, 'a transaction has pages');
    const at = last.index * this.#frameBytes;
    const frame = this.#buffer.subarray(at, at + this.#frameBytes);
    this.#checksum.reset(...last.before);
    const page = frame.subarray(FRAME_HEADER_BYTES);
    this.#encode(last.index, { pgno: last.pgno, commit: pageCount, page });
    const mxFrame = this.#fields.mxFrame + this.#written;
    // The mark and the checksum are in the header; the page is there.
    const header = frame.subarray(0, FRAME_HEADER_BYTES);
    this.#write(this.#open.walFd, header, frameOffset(mxFrame, this.#pageSize));
    if (sync) fdatasyncSync(this.#open.walFd);
    const { s0, s1 } = this.#checksum;
    this.#publish({
      ...this.#fields,
      changeCounter: (this.#fields.changeCounter + 1) >>> 0,
      mxFrame,
      pageCount,
      frameChecksum1: s0,
      frameChecksum2: s1,
    });
    this.#written = 0;
    this.#last = undefined;
  }

  /** Forgets the transaction under way; the next one overwrites its frames. */
  abort(): void {
    this.#buffered.length = 0;
    this.#written = 0;
    this.#last = undefined;
    // Entries may have been made in the copy of a block that did not reach the file.
    this.#block = undefined;
    this.#checksum.reset(this.#fields.frameChecksum1, this.#fields.frameChecksum2);
  }

  /**
   * Copies the log into the database and empties it, as far as readers allow. The fence is down from
   * here until SQLite's checkpoint has the write lock, and again from its end: the fence's own
   * snapshot would keep newer frames from being copied. `refence` comes next.
   */
  checkpoint(): CheckpointOutcome {
    assert(!this.hasPages, 'no transaction is under way');
    // A new lock is on a new connection: the page cache of the old one is of no use any more (R3).
    this.#fence?.release();
    this.#fence = undefined;
    const result = this.#checkpointer.prepare('PRAGMA wal_checkpoint(TRUNCATE)').get();
    return result?.['busy'] === 0 ? 'emptied' : 'busy';
  }

  /** Ends and hands the write lock over, still held; undefined when it is not. */
  close(): WriteLock | undefined {
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
    const { walFd } = this.#open;
    this.#write(walFd, bytes, 0);
    // Frames of before that are still there must never be found behind a header that names them.
    if (fstatSync(walFd).size > WAL_HEADER_BYTES) fdatasyncSync(walFd);
    this.#fields = {
      ...fields,
      frameChecksum1: header.checksum1,
      frameChecksum2: header.checksum2,
    };
    this.#checksum.reset(header.checksum1, header.checksum2);
    this.#hasWalHeader = true;
  }

  #flush(): void {
    const first = this.#fields.mxFrame + this.#written + 1;
    const bytes = this.#buffer.subarray(0, this.#buffered.length * this.#frameBytes);
    this.#write(this.#open.walFd, bytes, frameOffset(first, this.#pageSize));
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
      this.#write(descriptor, block.contents.bytes, block.contents.offset);
      return;
    }
    // The page numbers stand in a row, the places in the hash table do not.
    const [first, last] = [changes[0]?.pgnoOffset ?? 0, changes.at(-1)?.pgnoOffset ?? 0];
    const pgnos = block.bytes.subarray(first - block.offset, last + 4 - block.offset);
    this.#write(descriptor, pgnos, first);
    for (const { hashOffset } of changes) {
      const hashAt = hashOffset - block.offset;
      this.#write(descriptor, block.bytes.subarray(hashAt, hashAt + 2), hashOffset);
    }
  }

  #publish(fields: WalIndexFields): void {
    encodeWalIndexHeader(fields, this.#copy);
    this.#write(this.#open.walIndexFd, this.#copy, WAL_INDEX_COPY_BYTES);
    this.#write(this.#open.walIndexFd, this.#copy, 0);
    this.#fields = fields;
  }

  #write(descriptor: number, bytes: Uint8Array, offset: number): void {
    const { path, walFd } = this.#open;
    try {
      writeFully(descriptor, bytes, offset, nodeFiles);
    } catch (error) {
      const file = `${path}${descriptor === walFd ? '-wal' : '-shm'}`;
      throw fileFailure(error, `${file} cannot be written`, path);
    }
  }
}
