import { HEADER_BYTES } from './ltx-header.ts';
import { lz4BlockBytesMax } from './lz4-block-compressor.ts';
import { FRAME_FLAG_SIZE, type LtxVersion } from './page-frame.ts';

/** How many bytes after the header `guessVersions` wants; every file has them. */
export const GUESS_BYTES = 16;

const LZ4_MAGIC = 0x0422_4d18;

/**
 * The versions that a file may have, the likeliest first, by the bytes after its header. The
 * format has no version number; what decides in the end is whether the file's checksum is right.
 */
export function guessVersions(
  body: Uint8Array,
  { pageSize, isBodyCompressed }: { readonly pageSize: number; readonly isBodyCompressed: boolean },
): readonly LtxVersion[] {
  if (isBodyCompressed) return [1];
  const view = new DataView(body.buffer, body.byteOffset, GUESS_BYTES);
  if (view.getUint32(0) === 0) return [versionWithoutPages(view)];
  if (view.getUint32(4) === LZ4_MAGIC) return [2, 1];
  const flags = view.getUint16(4);
  if (flags === 0 && view.getUint32(6) === LZ4_MAGIC) return [3, 1];
  const isSized = flags === FRAME_FLAG_SIZE && view.getUint32(6) <= lz4BlockBytesMax(pageSize);
  return isSized ? [3, 1] : [1];
}

/**
 * After the mark that ends no pages, an index of version 2 or 3 is one zero byte and its own size,
 * 1, in eight bytes. In version 1 the trailer follows, whose last eight bytes are a checksum and
 * begin with a byte from 0x80 on.
 */
function versionWithoutPages(view: DataView): LtxVersion {
  if (view.getUint8(12) === 1) return 2;
  const isTrailer = view.getUint8(12) >= 0x80;
  return !isTrailer && view.getUint8(14) === 1 ? 3 : 1;
}

/** The header and what `guessVersions` wants. */
export const PREAMBLE_BYTES: number = HEADER_BYTES + GUESS_BYTES;
