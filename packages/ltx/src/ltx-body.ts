import { ByteQueue } from './byte-queue.ts';
import { Crc64, joinUint64 } from './crc64.ts';
import { LtxError } from './ltx-error.ts';
import { isSnapshot, type LtxHeader } from './ltx-header.ts';
import {
  TRAILER_BYTES,
  decodeTrailer,
  validatePostApplyChecksum,
  type LtxTrailer,
} from './ltx-trailer.ts';
import { readLz4Frame } from './lz4-frame.ts';
import { CHECKSUM_FLAG, pageChecksum } from './page-checksum.ts';
import { readPageFrame, type LtxVersion } from './page-frame.ts';
import { PageIndexExpectation } from './page-index-builder.ts';
import { PageRoom } from './page-room.ts';
import { PageSequence, type LtxPage } from './page-sequence.ts';
import { RollingChecksum } from './rolling-checksum.ts';

/** What comes step by step: a page, or undefined when more bytes are needed. */
export type Steps<Result> = Generator<LtxPage | undefined, Result, void>;

const INDEX_PIECE_BYTES = 4096;

/** How to read what follows the header. */
export interface BodyForm {
  readonly header: LtxHeader;
  readonly version: LtxVersion;
  readonly isBodyCompressed: boolean;
}

/** Reads and verifies everything after the header. Holds one page and no list of pages. */
export class LtxBody {
  readonly #input: ByteQueue;
  readonly #form: BodyForm;
  readonly #crc: Crc64;
  readonly #sequence: PageSequence;
  readonly #rolling: RollingChecksum | undefined;
  readonly #pageSum = new Uint32Array(2);
  readonly #indexCrc = new Crc64();
  readonly #index = new PageIndexExpectation(this.#indexCrc);

  /** `crc` has taken in the header, and `input` has given it away. */
  constructor(input: ByteQueue, form: BodyForm, crc: Crc64) {
    const { header } = form;
    this.#input = input;
    this.#form = form;
    this.#crc = crc;
    this.#sequence = new PageSequence(header);
    this.#rolling = isSnapshot(header) && header.isChecksummed ? new RollingChecksum() : undefined;
  }

  /** @throws LtxError on whatever is wrong with the file. */
  *read(): Steps<LtxTrailer> {
    if (this.#form.isBodyCompressed) yield* this.#readCompressedPages();
    else yield* this.#readPages(this.#input);
    this.#sequence.end();
    if (this.#form.version !== 1) yield* this.#readIndex();
    return yield* this.#readTrailer();
  }

  *#readPages(input: ByteQueue): Steps<void> {
    const { version, header } = this.#form;
    const source = {
      input,
      version,
      pageSize: header.pageSize,
      crc: this.#crc,
      sequence: this.#sequence,
      room: new PageRoom(header.pageSize),
    };
    for (;;) {
      const offset = input.taken;
      const page = yield* readPageFrame(source);
      if (page === undefined) return;
      this.#index.add(page.pgno, offset, input.taken - offset);
      if (this.#rolling !== undefined) {
        pageChecksum(page.pgno, page.data, this.#pageSum);
        this.#rolling.toggle(this.#pageSum[0] ?? 0, this.#pageSum[1] ?? 0);
      }
      yield page;
    }
  }

  /** Version 1 with its pages in one LZ4 frame: unpacked block by block into a second queue. */
  *#readCompressedPages(): Steps<void> {
    const plain = new ByteQueue();
    const pages = this.#readPages(plain);
    let isOver = false;
    for (const piece of readLz4Frame(this.#input, Number.MAX_SAFE_INTEGER)) {
      if (piece === undefined) {
        yield undefined;
        continue;
      }
      plain.push(piece);
      while (!isOver) {
        const step = pages.next();
        isOver = step.done === true;
        if (isOver || step.value === undefined) break;
        yield step.value;
      }
      if (isOver && plain.length > 0) {
        throw new LtxError('ltx_too_long', 'The pages of the file go on after their end.');
      }
      plain.settle();
    }
    if (!isOver) throw new LtxError('ltx_truncated', 'The pages of the file end too early.');
  }

  /** Compares the index, byte for byte by its checksum, with what the pages make it. */
  *#readIndex(): Steps<void> {
    const input = this.#input;
    const found = new Crc64();
    let left = this.#index.bytes;
    while (left > 0) {
      const count = Math.min(left, INDEX_PIECE_BYTES);
      while (input.length < count) yield undefined;
      const piece = input.take(count);
      found.update(piece);
      this.#crc.update(piece);
      left -= count;
    }
    while (input.length < 9) yield undefined;
    const end = input.take(9);
    this.#crc.update(end);
    const indexBytes = new DataView(end.buffer, end.byteOffset, 9).getBigUint64(1);
    const isRight =
      found.hi === this.#indexCrc.hi &&
      found.lo === this.#indexCrc.lo &&
      end[0] === 0 &&
      indexBytes === BigInt(this.#index.bytes + 1);
    if (!isRight) {
      throw new LtxError('ltx_bad_index', 'The page index of the file does not match its pages.');
    }
  }

  *#readTrailer(): Steps<LtxTrailer> {
    while (this.#input.length < TRAILER_BYTES) yield undefined;
    const bytes = this.#input.take(TRAILER_BYTES);
    const trailer = decodeTrailer(bytes);
    const crc = this.#crc.update(bytes, 0, 8);
    const found = joinUint64(crc.hi, crc.lo) | CHECKSUM_FLAG;
    if (found !== trailer.fileChecksum) {
      const [is, states] = [found.toString(16), trailer.fileChecksum.toString(16)];
      throw new LtxError(
        'ltx_checksum_mismatch',
        `The file has the checksum ${is} and states ${states.padStart(16, '0')}.`,
      );
    }
    validatePostApplyChecksum(this.#form.header, trailer.postApplyChecksum);
    if (this.#rolling !== undefined && this.#rolling.toBigInt() !== trailer.postApplyChecksum) {
      throw new LtxError(
        'ltx_checksum_mismatch',
        'The pages of the snapshot do not have the database checksum that it states.',
      );
    }
    return trailer;
  }
}
