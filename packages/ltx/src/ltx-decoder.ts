import { assert } from '@tandem/base';
import { ByteQueue } from './byte-queue.ts';
import { Crc64 } from './crc64.ts';
import { LtxBody, type Steps } from './ltx-body.ts';
import { LtxError } from './ltx-error.ts';
import { HEADER_BYTES, decodeHeader, type DecodedHeader, type LtxHeader } from './ltx-header.ts';
import { GUESS_BYTES, PREAMBLE_BYTES, guessVersions } from './ltx-layout.ts';
import type { LtxTrailer } from './ltx-trailer.ts';
import type { LtxVersion } from './page-frame.ts';
import type { LtxPage } from './page-sequence.ts';

/** A whole file in memory. */
export interface DecodedLtx {
  readonly header: LtxHeader;
  readonly pages: readonly LtxPage[];
  readonly trailer: LtxTrailer;
  readonly version: LtxVersion;
}

/**
 * Reads an LTX file that comes in chunks, cut anywhere, and verifies it: header, order and
 * completeness of pages, index, the file's checksum, and the database's checksum of a snapshot.
 * It holds what of a chunk is no whole page yet, whatever the size of the file.
 *
 * Pages are handed out before the file's checksum is known. Whoever acts on them must be able to
 * take that back when `finish` throws.
 */
export class LtxDecoder {
  readonly #input = new ByteQueue();
  readonly #steps: Steps<LtxTrailer>;
  #header: LtxHeader | undefined;
  #version: LtxVersion | undefined;
  #trailer: LtxTrailer | undefined;
  #failure: unknown;

  /**
   * `version` is that of the file when it is known. Without it, it is guessed from the first page,
   * which is safe for what this package writes; a page of an uncompressed file of version 1 can
   * look like one of version 3, which then ends in an error. `decodeLtx` tries both.
   */
  constructor(options: { readonly version?: LtxVersion } = {}) {
    this.#steps = this.#read(options.version);
  }

  /** Known as soon as the first 116 bytes are in. */
  get header(): LtxHeader | undefined {
    return this.#header;
  }

  /** Known with the header; a guess until `finish` has returned. */
  get version(): LtxVersion | undefined {
    return this.#version;
  }

  /** True when the end of the file has come in and everything was right. */
  get isComplete(): boolean {
    return this.#trailer !== undefined;
  }

  /**
   * Takes the next bytes of the file and returns the pages that they complete. The pages are the
   * caller's to keep, and so is `chunk` afterwards.
   *
   * @throws LtxError when the file is damaged, and again on every later call.
   */
  push(chunk: Uint8Array): LtxPage[] {
    this.#throwFailure();
    const pages: LtxPage[] = [];
    try {
      this.#input.push(chunk);
      while (this.#trailer === undefined) {
        const step = this.#steps.next();
        if (step.done === true) this.#trailer = step.value;
        else if (step.value === undefined) break;
        else pages.push(step.value);
      }
      if (this.#trailer !== undefined && this.#input.length > 0) {
        throw new LtxError('ltx_too_long', 'The file goes on after its trailer.');
      }
      this.#input.settle();
    } catch (error) {
      this.#failure = error;
      throw error;
    }
    return pages;
  }

  /**
   * The file has ended.
   *
   * @throws LtxError `ltx_truncated`, or what `push` threw.
   */
  finish(): LtxTrailer {
    this.#throwFailure();
    if (this.#trailer !== undefined) return this.#trailer;
    const bytes = this.#input.taken + this.#input.length;
    throw new LtxError('ltx_truncated', `The file ends after ${bytes} bytes, before its trailer.`);
  }

  *#read(version: LtxVersion | undefined): Steps<LtxTrailer> {
    const input = this.#input;
    while (input.length < PREAMBLE_BYTES) yield undefined;
    const headerBytes = input.take(HEADER_BYTES);
    const crc = new Crc64().update(headerBytes);
    const decoded = decodeHeader(headerBytes);
    const { header, isBodyCompressed } = decoded;
    this.#header = header;
    this.#version = version ?? likeliestVersion(decoded, input.peek(GUESS_BYTES));
    if (isBodyCompressed && this.#version !== 1) {
      throw new LtxError('ltx_bad_header', 'Only files of version 1 are compressed as a whole.');
    }
    const form = { header, version: this.#version, isBodyCompressed };
    return yield* new LtxBody(input, form, crc).read();
  }

  #throwFailure(): void {
    if (this.#failure !== undefined) throw this.#failure;
  }
}

/**
 * Reads a whole file of any version. Where its first bytes allow more than one version, it is the
 * one in which the file's checksum is right.
 *
 * @throws LtxError; when no version fits, what is wrong in the likeliest one.
 */
export function decodeLtx(bytes: Uint8Array): DecodedLtx {
  if (bytes.length < PREAMBLE_BYTES) {
    throw new LtxError('ltx_truncated', `The file has only ${bytes.length} bytes.`);
  }
  const { header, isBodyCompressed } = decodeHeader(bytes);
  const body = bytes.subarray(HEADER_BYTES, PREAMBLE_BYTES);
  const versions = guessVersions(body, { pageSize: header.pageSize, isBodyCompressed });
  let failure: LtxError | undefined;
  for (const version of versions) {
    try {
      return decodeVersion(bytes, version);
    } catch (error) {
      if (!(error instanceof LtxError)) throw error;
      failure ??= error;
    }
  }
  assert(failure !== undefined, 'a file has at least one version');
  throw failure;
}

function decodeVersion(bytes: Uint8Array, version: LtxVersion): DecodedLtx {
  const decoder = new LtxDecoder({ version });
  const pages = decoder.push(bytes);
  const trailer = decoder.finish();
  assert(decoder.header !== undefined, 'a complete file has a header');
  return { header: decoder.header, pages, trailer, version };
}

function likeliestVersion(
  { header, isBodyCompressed }: DecodedHeader,
  body: Uint8Array,
): LtxVersion {
  const [version] = guessVersions(body, { pageSize: header.pageSize, isBodyCompressed });
  return version ?? 1;
}
