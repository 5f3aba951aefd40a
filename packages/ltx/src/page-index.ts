import { assert } from '@tandem/base';
import { LtxError } from './ltx-error.ts';
import { HEADER_BYTES } from './ltx-header.ts';
import { TRAILER_BYTES, decodeTrailer, type LtxTrailer } from './ltx-trailer.ts';
import { PAGE_HEAD_BYTES, type LtxVersion } from './page-frame.ts';
import { UvarintReader } from './uvarint.ts';

/** Where a page stands in a file of version 2 or 3. */
export interface PageIndexEntry {
  readonly pgno: number;
  /** Where its frame begins, in bytes from the beginning of the file. */
  readonly offset: number;
  /** The length of its frame in bytes, for `decodePageFrame`. */
  readonly size: number;
}

/** The index, or how many bytes of the file's end it takes to read it. */
export type PageIndexResult =
  | {
      readonly kind: 'index';
      readonly entries: readonly PageIndexEntry[];
      readonly trailer: LtxTrailer;
      readonly version: Exclude<LtxVersion, 1>;
    }
  | { readonly kind: 'short'; readonly tailBytes: number };

/** The size of the index, which the trailer follows. */
const SIZE_BYTES = 8;
const FIXED_BYTES = SIZE_BYTES + TRAILER_BYTES;
const END_MARK_BYTES_V2 = 4;

/**
 * Reads the page index from the last bytes of a file of version 2 or 3, for reading single pages
 * out of it. When `tail` is too short, the answer says how long it must be.
 *
 * The file's checksum cannot be verified this way. What is verified is that the frames follow one
 * another from the header to the index without a gap.
 *
 * @param fileBytes the size of the whole file.
 * @throws LtxError `ltx_bad_index`, also for a file of version 1, which has none; `ltx_truncated`.
 */
export function readPageIndex(tail: Uint8Array, fileBytes: number): PageIndexResult {
  assert(tail.length <= fileBytes, 'the end of the file is no longer than the file');
  if (fileBytes < HEADER_BYTES + FIXED_BYTES) {
    throw new LtxError('ltx_truncated', `A file of ${fileBytes} bytes has no page index.`);
  }
  if (tail.length < FIXED_BYTES) return { kind: 'short', tailBytes: FIXED_BYTES };
  const sizeAt = tail.length - FIXED_BYTES;
  const view = new DataView(tail.buffer, tail.byteOffset + sizeAt, SIZE_BYTES);
  const indexBytes = Number(view.getBigUint64(0));
  const pagesEnd = fileBytes - FIXED_BYTES - indexBytes;
  if (indexBytes < 1 || pagesEnd < HEADER_BYTES + END_MARK_BYTES_V2) {
    fail(`it cannot have ${indexBytes} bytes in a file of ${fileBytes}`);
  }
  if (indexBytes > sizeAt) return { kind: 'short', tailBytes: FIXED_BYTES + indexBytes };
  const entries = readEntries(tail.subarray(sizeAt - indexBytes, sizeAt));
  const last = entries.at(-1);
  const framesEnd = last === undefined ? HEADER_BYTES : last.offset + last.size;
  const version = versionOfEndMark(pagesEnd - framesEnd);
  return { kind: 'index', entries, trailer: decodeTrailer(tail.subarray(-TRAILER_BYTES)), version };
}

function readEntries(bytes: Uint8Array): PageIndexEntry[] {
  const entries: PageIndexEntry[] = [];
  const varints = new UvarintReader(bytes);
  let pgnoBefore = 0;
  let end = HEADER_BYTES;
  for (let pgno = varints.next(); pgno !== 0; pgno = varints.next()) {
    const offset = varints.next();
    const size = varints.next();
    if (pgno === undefined || offset === undefined || size === undefined) fail('it ends too early');
    if (pgno <= pgnoBefore) fail(`page ${pgno} comes after page ${pgnoBefore}`);
    if (offset !== end || size === 0) fail(`page ${pgno} does not begin where another ends`);
    entries.push({ pgno, offset, size });
    pgnoBefore = pgno;
    end = offset + size;
  }
  if (varints.offset !== bytes.length) fail('it goes on after its end');
  return entries;
}

function versionOfEndMark(bytes: number): Exclude<LtxVersion, 1> {
  if (bytes === PAGE_HEAD_BYTES) return 3;
  if (bytes === END_MARK_BYTES_V2) return 2;
  fail('the pages do not end where it begins');
}

function fail(what: string): never {
  throw new LtxError('ltx_bad_index', `The page index is damaged: ${what}.`);
}
