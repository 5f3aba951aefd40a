import { compactLtx, decodeLtx, encodeLtx, LtxError } from '@tandem/ltx';

/**
 * Fewer files stay as they are. Joined ones spare a replica that is behind most of its syncs; but who
 * stands in the middle of such a file later can only be told that it does not know the rest, so that
 * a replica in step keeps the files that the primary made.
 */
const FILES_MIN = 8;

/**
 * LTX files in a row as one, in which a page that several of them wrote stands once. Files that are
 * few, do not fit together, or are damaged, are returned as they are: whoever applies them finds out
 * which.
 */
export function joinLtx(files: readonly Uint8Array[]): readonly Uint8Array[] {
  if (files.length < FILES_MIN) return files;
  const chunks: Uint8Array[] = [];
  try {
    compactLtx(files.map(decodeLtx), (chunk) => chunks.push(chunk));
  } catch (error) {
    if (error instanceof LtxError) return files;
    throw error;
  }
  return [Buffer.concat(chunks)];
}

/**
 * An LTX file for a database that has gone through some of its transactions: it says that it begins
 * with `minTxid` and the checksum of that database. A page's last content is the same whichever of
 * them are there already; whether it was the same database, the checksum at the end shows.
 *
 * @throws LtxError when the file is damaged.
 */
export function cutLtx(
  file: Uint8Array,
  { minTxid, preApplyChecksum }: { readonly minTxid: number; readonly preApplyChecksum: bigint },
): Uint8Array {
  const { header, pages, trailer } = decodeLtx(file);
  return encodeLtx({ ...header, minTxid, preApplyChecksum }, pages, trailer.postApplyChecksum);
}
