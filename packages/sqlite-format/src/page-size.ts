/** The smallest page SQLite makes, in bytes. */
export const PAGE_BYTES_MIN = 512;
/** The largest page SQLite makes, in bytes. */
export const PAGE_BYTES_MAX = 65_536;

/** The first byte on which SQLite takes its locks; the page around it holds no data. */
const PENDING_BYTE = 0x4000_0000;

/** True for the powers of two from 512 to 65536, the sizes a page may have. */
export function isPageSize(bytes: number): boolean {
  return (
    Number.isInteger(bytes) &&
    bytes >= PAGE_BYTES_MIN &&
    bytes <= PAGE_BYTES_MAX &&
    (bytes & (bytes - 1)) === 0
  );
}

/**
 * The number of the page around SQLite's lock bytes at 1 GiB. It is in no WAL and in no snapshot, and
 * zero in the database file, of which it exists only when the database is larger than that.
 */
export function lockPage(pageSize: number): number {
  return PENDING_BYTE / pageSize + 1;
}

/**
 * The page size in the two bytes in which the database header and the wal-index keep it, where 1
 * stands for 65536; undefined for what is no page size.
 */
export function pageSizeOf16(stored: number): number | undefined {
  const bytes = stored === 1 ? PAGE_BYTES_MAX : stored;
  return isPageSize(bytes) ? bytes : undefined;
}
