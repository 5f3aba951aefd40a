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
} from '@tandem/sqlite-format';
import type { OpenDatabase } from './open-database.ts';
import { ReplicationError } from './replication-error.ts';
import { isSameGeneration, type WalCursor } from './wal-cursor.ts';

/** Frames are read in pieces of about this size. */
const CHUNK_BYTES = 4 << 20;

/** The transactions that were committed since the last look, as one change of pages. */
export interface CapturedChange {
  readonly transactions: number;
  /** Pages of the database afterwards. */
  readonly pageCount: number;
  /** The fewest pages the database had in between. */
  readonly pageCountMin: number;
  /** Page numbers ascending, each with the frame that holds its last version. */
  readonly frames: ReadonlyMap<number, number>;
  readonly from: WalCursor;
  readonly to: WalCursor;
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
   * What was committed since the last call, or undefined. Does not move the cursor: `accept` does,
   * once the change is safe.
   *
   * @throws ReplicationError `wal_unreadable` when committed frames do not verify.
   */
  read(): CapturedChange | undefined {
    const header = this.#open.tryReadWalIndexHeader();
    if (header === undefined || header.mxFrame === 0) return undefined;
    const isInside =
      this.#cursor.position.frame > 0 && isSameGeneration(header, this.#cursor.generation);
    // An emptied log names its next salts before it has the header whose checksum frames run on from.
    const from = isInside ? this.#cursor : this.#startOfLog(header);
    if (header.mxFrame === from.position.frame) return undefined;
    if (header.mxFrame < from.position.frame) {
      throw unreadable(this.#open.path, 'the log is shorter than what was captured of it');
    }
    return this.#scan(from, header.mxFrame);
  }

  /** Moves the cursor past a change. */
  accept(change: CapturedChange): void {
    this.#cursor = change.to;
  }

  /** The page in that frame; valid until the next call. */
  page(frame: number): Uint8Array {
    const pageSize = this.#chunkPageSize;
    const frameBytes = FRAME_HEADER_BYTES + pageSize;
    const index = frame - this.#chunkFirst;
    if (index < 0 || index >= this.#chunkFrames) this.#readChunk(frame, 1, pageSize);
    const start = (frame - this.#chunkFirst) * frameBytes + FRAME_HEADER_BYTES;
    return this.#chunk.subarray(start, start + pageSize);
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

  #scan(from: WalCursor, mxFrame: number): CapturedChange {
    const { generation } = from;
    const scanner = new WalScanner(generation, from.position);
    const latest = new Map<number, number>();
    let [transactions, pageCount, pageCountMin] = [0, 0, Infinity];
    let end: WalPosition = from.position;
    const framesPerChunk = Math.ceil(CHUNK_BYTES / (FRAME_HEADER_BYTES + generation.pageSize));
    while (scanner.nextFrame <= mxFrame) {
      const first = scanner.nextFrame;
      const frames = Math.min(framesPerChunk, mxFrame - first + 1);
      const scan = scanner.push(this.#readChunk(first, frames, generation.pageSize), first);
      for (const transaction of scan.transactions) {
        for (const [pgno, frame] of transaction.pages) latest.set(pgno, frame);
        transactions += 1;
        pageCount = transaction.pageCount;
        pageCountMin = Math.min(pageCountMin, pageCount);
        end = transaction.end;
      }
      if (scan.end !== 'input') break;
    }
    if (end.frame !== mxFrame) {
      throw unreadable(this.#open.path, `frame ${scanner.nextFrame} of ${mxFrame} does not verify`);
    }
    const pgnos = [...latest.keys()].filter((pgno) => pgno <= pageCount).toSorted((a, b) => a - b);
    const frames = new Map(pgnos.map((pgno) => [pgno, latest.get(pgno) ?? 0]));
    return {
      transactions,
      pageCount,
      pageCountMin,
      frames,
      from,
      to: { generation, position: end },
    };
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

function unreadable(path: string, message: string): ReplicationError {
  return new ReplicationError('wal_unreadable', `${path}-wal: ${message}`, { retryable: true });
}
