import { assert } from '@tandem/base';
import { IS_LITTLE_ENDIAN } from './native-order.ts';
import { WAL_INDEX_HEADER_BYTES } from './wal-index-header.ts';

/** Bytes of a block: the size by which a `-shm` file grows. */
export const WAL_INDEX_BLOCK_BYTES = 32_768;
/** How many frames a block lists, but for the first. */
export const WAL_INDEX_BLOCK_FRAMES = 4096;
/** How many frames the first block lists, beside the header. */
export const WAL_INDEX_FIRST_BLOCK_FRAMES = 4062;

const HASH_OFFSET = 16_384;
const HASH_SLOTS = 8192;
const HASH_FACTOR = 383;

/** What an entry has changed in the `-shm` file, as absolute offsets in it. */
export interface WalIndexChange {
  /** Where the page number, four bytes, was written. */
  readonly pgnoOffset: number;
  /** Where the hash slot, two bytes, was written. */
  readonly hashOffset: number;
  /** True when the rest of the block was cleaned as well: all of `contents` has to be written. */
  readonly isReset: boolean;
}

/** The block, counted from 0, that lists the frame, counted from 1. */
export function blockOfFrame(frame: number): number {
  assert(frame > 0, 'frames are counted from 1');
  return Math.floor(
    (frame + WAL_INDEX_BLOCK_FRAMES - WAL_INDEX_FIRST_BLOCK_FRAMES - 1) / WAL_INDEX_BLOCK_FRAMES,
  );
}

/** The first frame that the block lists. */
export function firstFrameOfBlock(block: number): number {
  if (block === 0) return 1;
  return WAL_INDEX_FIRST_BLOCK_FRAMES + (block - 1) * WAL_INDEX_BLOCK_FRAMES + 1;
}

/**
 * One block of the wal-index: the page numbers of its frames and a hash table from page numbers to
 * frames, entered and searched exactly as SQLite does. It works on a copy of the block; what it
 * changes is for its user to write to the file, under SQLite's write lock, before the header that
 * announces the frames.
 */
export class WalIndexBlock {
  readonly blockNumber: number;
  /** The copy of the block, which `append` changes. */
  readonly bytes: Uint8Array;
  /** Bytes of the block before the first page number. */
  readonly #start: number;
  /** The frame before the first that the block lists. */
  readonly #frameBefore: number;
  readonly #view: DataView;

  /** `bytes` are the 32 KiB of the block, header included in the first one's. */
  constructor(blockNumber: number, bytes: Uint8Array) {
    assert(bytes.length === WAL_INDEX_BLOCK_BYTES, 'a block has 32 KiB');
    assert(blockNumber >= 0, 'blocks are counted from 0');
    this.blockNumber = blockNumber;
    this.bytes = bytes;
    this.#start = blockNumber === 0 ? WAL_INDEX_HEADER_BYTES : 0;
    this.#frameBefore = firstFrameOfBlock(blockNumber) - 1;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  }

  /** Where in the `-shm` file the block begins. */
  get offset(): number {
    return this.blockNumber * WAL_INDEX_BLOCK_BYTES;
  }

  /** All of the block but the wal-index's header, and where that is in the `-shm` file. */
  get contents(): { readonly offset: number; readonly bytes: Uint8Array } {
    return { offset: this.offset + this.#start, bytes: this.bytes.subarray(this.#start) };
  }

  /**
   * Enters a frame, which has to be the one after the last: after `mxFrame`, or after the one that
   * was entered before it. As in SQLite, the first entry clears the block, and entries that a writer
   * left behind who died or rolled back are removed first. Undefined, and nothing is entered, when
   * the block is damaged: SQLite answers SQLITE_CORRUPT then, and whoever is the first to open the
   * database after all have closed it makes the wal-index anew.
   */
  append(frame: number, pgno: number): WalIndexChange | undefined {
    assert(pgno > 0, 'pages are counted from 1');
    const index = this.#indexOf(frame);
    const isReset = index === 1 || this.#pgnoAt(index) !== 0;
    if (isReset) this.#keepOnly(index - 1);
    let slot = hashOf(pgno);
    for (let probes = 1; this.#slotAt(slot) !== 0; probes += 1) {
      // More slots are taken than there are entries.
      if (probes > index) return undefined;
      slot = (slot + 1) % HASH_SLOTS;
    }
    const pgnoAt = this.#start + 4 * (index - 1);
    const slotAt = HASH_OFFSET + 2 * slot;
    this.#view.setUint32(pgnoAt, pgno, IS_LITTLE_ENDIAN);
    this.#view.setUint16(slotAt, index, IS_LITTLE_ENDIAN);
    return { pgnoOffset: this.offset + pgnoAt, hashOffset: this.offset + slotAt, isReset };
  }

  /**
   * The last frame of this block, `maxFrame` at most, that holds the page; 0 when there is none.
   * Blocks are asked from that of `maxFrame` down to the first.
   */
  find(pgno: number, maxFrame: number): number {
    let found = 0;
    let slot = hashOf(pgno);
    for (let probes = 0; probes < HASH_SLOTS; probes += 1) {
      const index = this.#slotAt(slot);
      if (index === 0) break;
      const frame = this.#frameBefore + index;
      // What is entered later stands further on in the chain.
      if (frame <= maxFrame && this.#pgnoAt(index) === pgno) found = frame;
      slot = (slot + 1) % HASH_SLOTS;
    }
    return found;
  }

  /** The page number that the block lists for the frame; 0 when it lists none. */
  pgnoOf(frame: number): number {
    return this.#pgnoAt(this.#indexOf(frame));
  }

  /** The frame's place in the block, counted from 1. */
  #indexOf(frame: number): number {
    assert(blockOfFrame(frame) === this.blockNumber, 'the block lists the frame');
    return frame - this.#frameBefore;
  }

  #pgnoAt(index: number): number {
    const at = this.#start + 4 * (index - 1);
    return at < HASH_OFFSET ? this.#view.getUint32(at, IS_LITTLE_ENDIAN) : 0;
  }

  #slotAt(slot: number): number {
    return this.#view.getUint16(HASH_OFFSET + 2 * slot, IS_LITTLE_ENDIAN);
  }

  /** Removes all entries after the first `count`. */
  #keepOnly(count: number): void {
    this.bytes.fill(0, this.#start + 4 * count, HASH_OFFSET);
    for (let slot = 0; slot < HASH_SLOTS; slot += 1) {
      if (this.#slotAt(slot) <= count) continue;
      this.#view.setUint16(HASH_OFFSET + 2 * slot, 0, IS_LITTLE_ENDIAN);
    }
  }
}

function hashOf(pgno: number): number {
  return Math.imul(pgno, HASH_FACTOR) & (HASH_SLOTS - 1);
}
