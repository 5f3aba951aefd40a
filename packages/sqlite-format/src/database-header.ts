import { pageSizeOf16 } from './page-size.ts';

/** How many bytes at the start of page 1 are the header. */
export const DATABASE_HEADER_BYTES = 100;

const MAGIC = 'SQLite format 3\0';
const WAL_VERSION = 2;
/** SQLite refuses a page with less room than this. */
const USABLE_BYTES_MIN = 480;
/** The bytes at 21 to 23: payload fractions, the same in every database. */
const PAYLOAD_FRACTIONS = [64, 32, 32] as const;

/** What the first 100 bytes of a database say. */
export interface DatabaseHeader {
  /** Bytes of a page: a power of two from 512 to 65536. */
  readonly pageSize: number;
  /** 1 for a rollback journal, 2 for WAL; above 2, SQLite opens the database read-only. */
  readonly writeVersion: number;
  /** 1 for a rollback journal, 2 for WAL. */
  readonly readVersion: number;
  /** What SQLite makes of `readVersion`. */
  readonly journalMode: 'wal' | 'rollback';
  /** Unused bytes at the end of each page, for extensions. */
  readonly reservedBytes: number;
  /** Rises with each transaction in a rollback mode; in WAL mode only when page 1 is written. */
  readonly changeCounter: number;
  /** Pages of the database, if `isPageCountTrusted`. */
  readonly pageCount: number;
  /** False when a SQLite before 3.7.0 wrote last: the size of the file decides then. */
  readonly isPageCountTrusted: boolean;
  /** Rises with each change of the schema. */
  readonly schemaCookie: number;
  /** The change counter for which `pageCount` and `libraryVersion` were written. */
  readonly versionValidFor: number;
  /** The SQLite that last wrote page 1, as 3053004 for 3.53.4; 0 when it was before 3.7.0. */
  readonly libraryVersion: number;
}

/**
 * The header of a database, from at least its first 100 bytes. Undefined for what SQLite would not
 * take for a database: other bytes, an impossible page size, a newer format, an encrypted file. (An
 * empty file is a database as well, one without pages; it has no header.)
 */
export function parseDatabaseHeader(bytes: Uint8Array): DatabaseHeader | undefined {
  if (bytes.length < DATABASE_HEADER_BYTES) return undefined;
  for (let at = 0; at < MAGIC.length; at += 1) {
    if (bytes[at] !== MAGIC.charCodeAt(at)) return undefined;
  }
  for (const [index, fraction] of PAYLOAD_FRACTIONS.entries()) {
    if (bytes[21 + index] !== fraction) return undefined;
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, DATABASE_HEADER_BYTES);
  const pageSize = pageSizeOf16(view.getUint16(16));
  const reservedBytes = view.getUint8(20);
  if (pageSize === undefined || pageSize - reservedBytes < USABLE_BYTES_MIN) return undefined;
  const readVersion = view.getUint8(19);
  if (readVersion > WAL_VERSION) return undefined;
  const changeCounter = view.getUint32(24);
  const pageCount = view.getUint32(28);
  const versionValidFor = view.getUint32(92);
  return {
    pageSize,
    writeVersion: view.getUint8(18),
    readVersion,
    journalMode: readVersion === WAL_VERSION ? 'wal' : 'rollback',
    reservedBytes,
    changeCounter,
    pageCount,
    isPageCountTrusted: pageCount > 0 && changeCounter === versionValidFor,
    schemaCookie: view.getUint32(40),
    versionValidFor,
    libraryVersion: view.getUint32(96),
  };
}

/** True when `parseDatabaseHeader` finds a header in `bytes`. */
export function isDatabaseHeader(bytes: Uint8Array): boolean {
  return parseDatabaseHeader(bytes) !== undefined;
}
