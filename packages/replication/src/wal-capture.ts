import { readSync } from 'node:fs';
import {
  FRAME_HEADER_BYTES,
  frameOffset,
  parseWalHeader,
  WAL_HEADER_BYTES,
  type WalGeneration,
  type WalPosition,
  WalScanner,
  walStart,
  type WalTransaction,
} from '@tandem/sqlite-format';
import type { OpenDatabase } from './open-database.ts';
import { ReplicationError } from './replication-error.ts';
import { isSameGeneration, type WalCursor } from './wal-cursor.ts';

/** Frames are read in pieces of about this size. */
const CHUNK_BYTES = 4 << 20;
/** Transactions are joined up to about so many bytes of pages. */
const BATCH_BYTES = 16 << 20;

/** Transactions that were committed since the last look, as one change of pages. */
export interface CapturedChange {
  readonly transactions: number;
  /** Pages of the database afterwards. */
  readonly pageCount: number;
  /** The fewest pages the database had in between. */
  readonly pageCountMin: number;
  /** The pages that were written and are still part of the database, ascending. */
  readonly pgnos: Uint32Array;
  /** The frame with the last version of each of them. */
  readonly frames: ReadonlyMap<number, number>;
  readonly from: WalCursor;
  readonly to: WalCursor;
  /** Whether more was committed by then. */
  readonly hasMore: boolean;
}

/**
 * Reads what applications commit. The wal-index's header alone says what is committed; sizes and
 * times of files say nothing, since a log that restarts is overwritten in place.
 */
export class WalCapture {
  readonly #open: OpenDatabase;
  #cursor: WalCursor;
  #chunk = Buffer.alloc(0);
  /** First frame in the chunk and how many it holds. */
  #chunkFirst = 0;
  #chunkFrames = 0;
  #chunkPageSize = 0;
  /** A page whose frame is not in the chunk. */
  #page = Buffer.alloc(0);

  /** Goes on from `cursor`, which follows a commit. */
  constructor(open: OpenDatabase, cursor: WalCursor) {
    this.#open = open;
    this.#cursor = cursor;
  }

  /** The place up to which everything has been captured. */
  get cursor(): WalCursor {
    return this.#cursor;
  }

  /**
   * What was committed since the last call, or undefined: `transactionsMax` commits of SQLite at
   * most, and not many more than fit into a batch. Does not move the cursor: `accept` does, once the
   * change is safe.
   *
   * @throws ReplicationError `wal_unreadable` when committed frames do not verify.
   */
  read(transactionsMax = Infinity): CapturedChange | undefined {
    const header = this.#open.readWalIndexHeader();
    if (header.mxFrame === 0) return undefined;
    const isInside =
      this.#cursor.position.frame > 0 && isSameGeneration(header, this.#cursor.generation);
    // An emptied log names its next salts before it has the header whose checksum frames run on from.
    const from = isInside ? this.#cursor : this.#startOfLog(header);
    if (header.mxFrame === from.position.frame) return undefined;
    if (header.mxFrame < from.position.frame) {
      throw unreadable(this.#open.path, 'the log is shorter than what was captured of it');
    }
    return this.#scan(from, header.mxFrame, transactionsMax);
  }

  /** Moves the cursor past a change. */
  accept(change: CapturedChange): void {
    this.#cursor = change.to;
  }

  /** The page in that frame; valid until the next call. */
  page(frame: number): Uint8Array {
    const pageSize = this.#chunkPageSize;
    const index = frame - this.#chunkFirst;
    if (index >= 0 && index < this.#chunkFrames) {
      const start = index * (FRAME_HEADER_BYTES + pageSize) + FRAME_HEADER_BYTES;
      return this.#chunk.subarray(start, start + pageSize);
    }
    if (this.#page.length !== pageSize) this.#page = Buffer.alloc(pageSize);
    const offset = frameOffset(frame, pageSize) + FRAME_HEADER_BYTES;
    readSync(this.#open.walFd, this.#page, 0, pageSize, offset);
    return this.#page;
  }

  #startOfLog(generation: Pick<WalGeneration, 'salt1' | 'salt2'>): WalCursor {
    const bytes = new Uint8Array(WAL_HEADER_BYTES);
    readSync(this.#open.walFd, bytes, 0, bytes.length, 0);
    const header = parseWalHeader(bytes);
    if (header === undefined || !isSameGeneration(header, generation)) {
      throw unreadable(this.#open.path, `the log's header is not the one its index names`);
    }
    return { generation: header, position: walStart(header) };
  }

  #scan(from: WalCursor, mxFrame: number, transactionsMax: number): CapturedChange {
    const { generation } = from;
    const scanner = new WalScanner(generation, from.position);
    const joined = new JoinedTransactions(from.position);
    const framesPerChunk = Math.ceil(CHUNK_BYTES / (FRAME_HEADER_BYTES + generation.pageSize));
    const isEnough = (): boolean =>
      joined.count >= transactionsMax || joined.pageBytes(generation.pageSize) >= BATCH_BYTES;
    while (scanner.nextFrame <= mxFrame && !isEnough()) {
      const first = scanner.nextFrame;
      const frames = Math.min(framesPerChunk, mxFrame - first + 1);
      const scan = scanner.push(this.#readChunk(first, frames, generation.pageSize), first);
      for (const transaction of scan.transactions) if (!isEnough()) joined.add(transaction);
      if (scan.end !== 'input') break;
    }
    const { end } = joined;
    if (end.frame !== mxFrame && !isEnough()) {
      throw unreadable(this.#open.path, `frame ${scanner.nextFrame} of ${mxFrame} does not verify`);
    }
    const to = { generation, position: end };
    return { ...joined.result(), from, to, hasMore: end.frame < mxFrame };
  }

  #readChunk(first: number, frames: number, pageSize: number): Uint8Array {
    const bytes = frames * (FRAME_HEADER_BYTES + pageSize);
    if (this.#chunk.length < bytes) this.#chunk = Buffer.allocUnsafeSlow(bytes);
    const read = readSync(this.#open.walFd, this.#chunk, 0, bytes, frameOffset(first, pageSize));
    this.#chunkFirst = first;
    this.#chunkPageSize = pageSize;
    this.#chunkFrames = Math.floor(read / (FRAME_HEADER_BYTES + pageSize));
    return this.#chunk.subarray(0, read);
  }
}

/** Several transactions in order, as what they amount to. */
class JoinedTransactions {
  count = 0;
  end: WalPosition;
  #pageCount = 0;
  #pageCountMin = Infinity;
  readonly #frames = new Map<number, number>();

  constructor(start: WalPosition) {
    this.end = start;
  }

  pageBytes(pageSize: number): number {
    return this.#frames.size * pageSize;
  }

  add({ pages, pageCount, end }: WalTransaction): void {
    // A page that was cut off and comes back is not what it was, once the log has been copied.
    if (pageCount < this.#pageCount) this.#cutTo(pageCount);
    for (const [pgno, frame] of pages) this.#frames.set(pgno, frame);
    this.count += 1;
    this.end = end;
    this.#pageCount = pageCount;
    this.#pageCountMin = Math.min(this.#pageCountMin, pageCount);
  }

  result(): Omit<CapturedChange, 'from' | 'to' | 'hasMore'> {
    return {
      transactions: this.count,
      pageCount: this.#pageCount,
      pageCountMin: this.#pageCountMin,
      pgnos: Uint32Array.from(this.#frames.keys()).sort(),
      frames: this.#frames,
    };
  }

  #cutTo(pageCount: number): void {
    for (const pgno of this.#frames.keys()) if (pgno > pageCount) this.#frames.delete(pgno);
  }
}

function unreadable(path: string, message: string): ReplicationError {
  return new ReplicationError('wal_unreadable', `${path}-wal: ${message}`, { retryable: true });
}
