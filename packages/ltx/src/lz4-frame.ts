import type { ByteQueue } from './byte-queue.ts';
import { LtxError } from './ltx-error.ts';
import { decompressLz4Sequences } from './lz4-block.ts';
import { XxHash32, xxHash32 } from './xxhash32.ts';

/** The first four bytes of an LZ4 frame. */
export const LZ4_FRAME_MAGIC = 0x184d_2204;

const MAGIC_BYTES = 4;
const HISTORY_BYTES = 65_536;
const UNCOMPRESSED_FLAG = 0x8000_0000;
const VERSION_MASK = 0xc0;
const VERSION = 0x40;
const FLAG_INDEPENDENT = 0x20;
const FLAG_BLOCK_CHECKSUM = 0x10;
const FLAG_CONTENT_SIZE = 0x08;
const FLAG_CONTENT_CHECKSUM = 0x04;
const FLAG_RESERVED = 0x02;
const FLAG_DICTIONARY = 0x01;
/** The largest block by the three bits of the descriptor; the others are reserved. */
const BLOCK_BYTES_MAX: readonly (number | undefined)[] = [
  undefined,
  undefined,
  undefined,
  undefined,
  64 * 1024,
  256 * 1024,
  1024 * 1024,
  4 * 1024 * 1024,
];

interface FrameDescriptor {
  readonly blockBytesMax: number;
  readonly areBlocksIndependent: boolean;
  readonly hasBlockChecksums: boolean;
  readonly hasContentChecksum: boolean;
  readonly contentBytes: number | undefined;
}

/**
 * Reads one LZ4 frame (`lz4_Frame_format.md` of the LZ4 project) from `input`: yields undefined
 * while `input` has too few bytes and otherwise the content in pieces of at most 4 MiB, each valid
 * until the next step. All its checksums are verified. `contentBytesMax` bounds the content.
 *
 * @throws LtxError `ltx_bad_compression`.
 */
export function* readLz4Frame(
  input: ByteQueue,
  contentBytesMax: number,
): Generator<Uint8Array | undefined, void, void> {
  const descriptor = yield* readDescriptor(input);
  const blockBytesMax = Math.min(descriptor.blockBytesMax, contentBytesMax);
  const window = new BlockWindow(blockBytesMax, descriptor.areBlocksIndependent);
  const hash = new XxHash32();
  let contentBytes = 0;
  for (;;) {
    while (input.length < 4) yield undefined;
    const size = uint32(input.take(4));
    if (size === 0) break;
    const isPlain = size >= UNCOMPRESSED_FLAG;
    const storedBytes = isPlain ? size - UNCOMPRESSED_FLAG : size;
    if (storedBytes > descriptor.blockBytesMax) fail('a block is larger than it may be');
    const checksumBytes = descriptor.hasBlockChecksums ? 4 : 0;
    while (input.length < storedBytes + checksumBytes) yield undefined;
    const stored = input.take(storedBytes);
    if (descriptor.hasBlockChecksums && uint32(input.take(4)) !== xxHash32(stored)) {
      fail('a block has another checksum than it states');
    }
    const content = isPlain ? window.copy(stored) : window.decompress(stored);
    contentBytes += content.length;
    if (contentBytes > contentBytesMax) fail('it holds more than it should');
    if (descriptor.hasContentChecksum) hash.update(content);
    yield content;
  }
  if (descriptor.hasContentChecksum) {
    while (input.length < 4) yield undefined;
    if (uint32(input.take(4)) !== hash.digest()) {
      fail('its content has another checksum than it states');
    }
  }
  if (descriptor.contentBytes !== undefined && descriptor.contentBytes !== contentBytes) {
    fail('its content has another size than it states');
  }
}

function* readDescriptor(input: ByteQueue): Generator<undefined, FrameDescriptor, void> {
  while (input.length < MAGIC_BYTES + 2) yield undefined;
  if (uint32(input.take(MAGIC_BYTES)) !== LZ4_FRAME_MAGIC) fail('no LZ4 frame begins here');
  const flags = input.peek(2)[0] ?? 0;
  const hasContentBytes = (flags & FLAG_CONTENT_SIZE) !== 0;
  const bytes = hasContentBytes ? 10 : 2;
  while (input.length < bytes + 1) yield undefined;
  const descriptor = input.take(bytes);
  const view = new DataView(descriptor.buffer, descriptor.byteOffset, bytes);
  const headerHash = xxHash32(descriptor);
  const blockBytesMax = BLOCK_BYTES_MAX[view.getUint8(1) >>> 4];
  if ((flags & VERSION_MASK) !== VERSION) fail('the frame has an unknown version');
  if ((flags & (FLAG_RESERVED | FLAG_DICTIONARY)) !== 0) fail('the frame has unknown flags');
  if (blockBytesMax === undefined) fail('the frame has an unknown block size');
  if (((headerHash >>> 8) & 0xff) !== input.take(1)[0]) fail('the frame header is damaged');
  return {
    blockBytesMax,
    areBlocksIndependent: (flags & FLAG_INDEPENDENT) !== 0,
    hasBlockChecksums: (flags & FLAG_BLOCK_CHECKSUM) !== 0,
    hasContentChecksum: (flags & FLAG_CONTENT_CHECKSUM) !== 0,
    contentBytes: hasContentBytes ? Number(view.getBigUint64(2, true)) : undefined,
  };
}

/** Where blocks are unpacked, after what earlier blocks left when they may refer to it. */
class BlockWindow {
  readonly #bytes: Uint8Array;
  readonly #isIndependent: boolean;
  readonly #blockBytesMax: number;
  #historyBytes = 0;

  constructor(blockBytesMax: number, isIndependent: boolean) {
    this.#blockBytesMax = blockBytesMax;
    this.#isIndependent = isIndependent;
    this.#bytes = new Uint8Array(blockBytesMax + (isIndependent ? 0 : HISTORY_BYTES));
  }

  decompress(block: Uint8Array): Uint8Array {
    const start = this.#historyBytes;
    const room = this.#bytes.subarray(0, start + this.#blockBytesMax);
    return this.#keep(start, decompressLz4Sequences(block, room, start));
  }

  copy(block: Uint8Array): Uint8Array {
    if (block.length > this.#blockBytesMax) fail('it holds more than it should');
    this.#bytes.set(block, this.#historyBytes);
    return this.#keep(this.#historyBytes, this.#historyBytes + block.length);
  }

  /** The content from `start` to `end`, copied when making room for the next block moves it. */
  #keep(start: number, end: number): Uint8Array {
    if (this.#isIndependent) return this.#bytes.subarray(start, end);
    if (end <= HISTORY_BYTES) {
      this.#historyBytes = end;
      return this.#bytes.subarray(start, end);
    }
    const content = this.#bytes.slice(start, end);
    this.#bytes.copyWithin(0, end - HISTORY_BYTES, end);
    this.#historyBytes = HISTORY_BYTES;
    return content;
  }
}

function uint32(bytes: Uint8Array): number {
  return new DataView(bytes.buffer, bytes.byteOffset, 4).getUint32(0, true);
}

function fail(what: string): never {
  throw new LtxError('ltx_bad_compression', `A compressed frame is damaged: ${what}.`);
}
