import { assert } from '@tandem/base';
import { Crc64, joinUint64 } from './crc64.ts';
import { LtxError } from './ltx-error.ts';
import { HEADER_BYTES, encodeHeader, isSnapshot, type LtxHeader } from './ltx-header.ts';
import { encodeTrailer, validatePostApplyChecksum, type LtxTrailer } from './ltx-trailer.ts';
import { Lz4BlockCompressor, lz4BlockBytesMax } from './lz4-block-compressor.ts';
import { CHECKSUM_FLAG, pageChecksum } from './page-checksum.ts';
import { PageIndexBuilder } from './page-index-builder.ts';
import { FRAME_FLAG_SIZE, FRAME_HEAD_BYTES, PAGE_HEAD_BYTES } from './page-frame.ts';
import { PageSequence, type LtxPage } from './page-sequence.ts';
import { RollingChecksum } from './rolling-checksum.ts';

const CHUNK_BYTES_MAX = 128 * 1024;
const SMALL_TAIL_BYTES = 64;

/**
 * Writes an LTX file of version 3 as its pages come: each page one LZ4 block with its size, an
 * index of the pages, a trailer. Other tools of the format read the result.
 *
 * It holds a chunk of the file and the index, about ten bytes for each page. What goes to `write`
 * is the receiver's to keep.
 */
export class LtxEncoder {
  readonly #write: (chunk: Uint8Array) => void;
  readonly #header: LtxHeader;
  readonly #sequence: PageSequence;
  readonly #crc = new Crc64();
  readonly #index = new PageIndexBuilder();
  readonly #rolling: RollingChecksum | undefined;
  readonly #frameBytesMax: number;
  readonly #pageSum = new Uint32Array(2);
  #chunk: Uint8Array;
  #view: DataView;
  #used = 0;
  #flushedBytes = 0;
  #isFinished = false;

  /**
   * @throws LtxError `ltx_bad_header`.
   */
  constructor(header: LtxHeader, write: (chunk: Uint8Array) => void) {
    const bytes = encodeHeader(header);
    this.#write = write;
    this.#header = header;
    this.#sequence = new PageSequence(header);
    this.#rolling = isSnapshot(header) && header.isChecksummed ? new RollingChecksum() : undefined;
    this.#frameBytesMax = FRAME_HEAD_BYTES + lz4BlockBytesMax(header.pageSize);
    this.#chunk = new Uint8Array(HEADER_BYTES + this.#frameBytesMax + SMALL_TAIL_BYTES);
    this.#view = new DataView(this.#chunk.buffer);
    this.#crc.update(bytes);
    this.#append(bytes);
  }

  /** The size of the file so far, the end not included before `finish`. */
  get sizeBytes(): number {
    return this.#flushedBytes + this.#used;
  }

  /**
   * Adds a page. `data` may be reused afterwards.
   *
   * @throws LtxError `ltx_bad_page`, `ltx_snapshot_incomplete`; the page is then not added.
   */
  page(pgno: number, data: Uint8Array): void {
    assert(!this.#isFinished, 'no page comes after the end');
    this.#sequence.acceptSize(pgno, data.length);
    this.#sequence.accept(pgno);
    this.#reserve(this.#frameBytesMax);
    const offset = this.sizeBytes;
    const start = this.#used;
    const end = COMPRESSOR.compressInto(data, this.#chunk, start + FRAME_HEAD_BYTES);
    this.#view.setUint32(start, pgno);
    this.#view.setUint16(start + 4, FRAME_FLAG_SIZE);
    this.#view.setUint32(start + 6, end - start - FRAME_HEAD_BYTES);
    this.#crc.update(this.#chunk, start, start + FRAME_HEAD_BYTES).update(data);
    this.#used = end;
    this.#index.add(pgno, offset, end - start);
    if (this.#rolling === undefined) return;
    pageChecksum(pgno, data, this.#pageSum);
    this.#rolling.toggle(this.#pageSum[0] ?? 0, this.#pageSum[1] ?? 0);
  }

  /**
   * Writes the end of the file. `postApplyChecksum` is the rolling checksum of the database after
   * these transactions, and 0 in a file without checksums; for a snapshot it is checked.
   *
   * @throws LtxError `ltx_snapshot_incomplete`, `ltx_bad_trailer`, `ltx_checksum_mismatch`.
   */
  finish(postApplyChecksum: bigint): LtxTrailer {
    assert(!this.#isFinished, 'a file ends once');
    this.#sequence.end();
    validatePostApplyChecksum(this.#header, postApplyChecksum);
    if (this.#rolling !== undefined && this.#rolling.toBigInt() !== postApplyChecksum) {
      throw new LtxError(
        'ltx_checksum_mismatch',
        'The pages of the snapshot do not have the post-apply checksum given.',
      );
    }
    this.#isFinished = true;
    const end = new Uint8Array(PAGE_HEAD_BYTES);
    const index = this.#index.finish();
    const post = encodeTrailer({ postApplyChecksum, fileChecksum: 0n }).subarray(0, 8);
    const crc = this.#crc.update(end).update(index).update(post);
    const fileChecksum = joinUint64(crc.hi, crc.lo) | CHECKSUM_FLAG;
    const trailer: LtxTrailer = { postApplyChecksum, fileChecksum };
    for (const part of [end, index, encodeTrailer(trailer)]) this.#append(part);
    this.#flush();
    return trailer;
  }

  #append(bytes: Uint8Array): void {
    this.#reserve(bytes.length);
    this.#chunk.set(bytes, this.#used);
    this.#used += bytes.length;
  }

  /** Makes room for `bytes` in the chunk, which hands on what it holds when it has too little. */
  #reserve(bytes: number): void {
    const size = this.#chunk.length;
    if (this.#used + bytes <= size) return;
    this.#flush();
    const grown = Math.min(2 * size, CHUNK_BYTES_MAX);
    this.#chunk = new Uint8Array(Math.max(grown, bytes));
    this.#view = new DataView(this.#chunk.buffer);
  }

  #flush(): void {
    if (this.#used === 0) return;
    const bytes = this.#chunk.subarray(0, this.#used);
    this.#flushedBytes += this.#used;
    this.#used = 0;
    this.#chunk = new Uint8Array(0);
    this.#write(bytes);
  }
}

/**
 * A whole file in memory, of version 3, as `LtxEncoder` writes it.
 *
 * @throws LtxError as `LtxEncoder` does.
 */
export function encodeLtx(
  header: LtxHeader,
  pages: Iterable<LtxPage>,
  postApplyChecksum: bigint,
): Uint8Array<ArrayBuffer> {
  const chunks: Uint8Array[] = [];
  const encoder = new LtxEncoder(header, (chunk) => chunks.push(chunk));
  for (const { pgno, data } of pages) encoder.page(pgno, data);
  encoder.finish(postApplyChecksum);
  const bytes = new Uint8Array(encoder.sizeBytes);
  let at = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, at);
    at += chunk.length;
  }
  return bytes;
}

/** Carries nothing from one page to the next but a table that costs time to make. */
const COMPRESSOR = new Lz4BlockCompressor();
