const WAL_FIRST = 3_007_000;
const RESET_FIXED = 3_051_003;
/** Older branches to which the fix was carried back: from here to the end of the branch. */
const RESET_BACKPORTS = [3_044_006, 3_050_007];

/** `3053004`, as `SQLITE_VERSION_NUMBER` and the database header have it, as `3.53.4`. */
export function formatLibraryVersion(libraryVersion: number): string {
  const major = Math.floor(libraryVersion / 1_000_000);
  const minor = Math.floor(libraryVersion / 1000) % 1000;
  return `${major}.${minor}.${libraryVersion % 1000}`;
}

/**
 * True for the versions of SQLite that can corrupt a database in WAL mode when two connections
 * checkpoint and write at the wrong moment (https://sqlite.org/wal.html#walresetbug): 3.7.0 to
 * 3.51.2, without 3.44.6 and 3.50.7, which have the fix. Before 3.7.0 there was no WAL.
 */
export function hasWalResetBug(libraryVersion: number): boolean {
  if (libraryVersion < WAL_FIRST || libraryVersion >= RESET_FIXED) return false;
  return !RESET_BACKPORTS.some((fixed) => {
    const branchEnd = fixed - (fixed % 1000) + 1000;
    return libraryVersion >= fixed && libraryVersion < branchEnd;
  });
}

/** The version of the library that wrote the database last: bytes 96 to 99 of its first page. */
export function readLibraryVersion(firstPage: Uint8Array): number {
  return new DataView(firstPage.buffer, firstPage.byteOffset).getUint32(96);
}
