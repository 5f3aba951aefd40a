import { hash } from 'node:crypto';
import { RollingChecksum } from '@tandem/ltx';
import { DIGEST_WORDS, ENTRY_BYTES } from './page-digest.ts';
import { errnoOf, fileFailure, ReplicationError } from './replication-error.ts';
import { readFully, type FileOperations } from './small-file.ts';

/** Bytes before the first entry. */
export const HEADER_BYTES = 4096;

const MAGIC = 0x544e_4450;
const VERSION = 1;
/** The header's fields, before its own checksum. */
const FIELD_BYTES = 64;
const CHECK_BYTES = 16;

/**
 * What the first bytes of a page table say.
 *
 * All numbers are big-endian.
 *
 * | offset | size | field |
 * |---|---|---|
 * | 0 | 4 | magic `TNDP` |
 * | 4 | 4 | version, 1 |
 * | 8 | 4 | page size |
 * | 12 | 4 | page count |
 * | 16 | 4 | 1 when clean |
 * | 20 | 4 | number of entries that were never set |
 * | 24 | 8 | txid |
 * | 32 | 8 | rolling checksum |
 * | 40 | 16 | sum of digests |
 * | 64 | 16 | first bytes of the SHA-256 of the 64 bytes before |
 */
export interface PageTableHeader {
  readonly pageSize: number;
  readonly pageCount: number;
  readonly isClean: boolean;
  readonly absentCount: number;
  readonly txid: number;
  readonly rollingChecksum: bigint;
  readonly sum: Readonly<Uint32Array>;
}

/** Where the entry of a page begins. */
export function offsetOf(pgno: number): number {
  return HEADER_BYTES + (pgno - 1) * ENTRY_BYTES;
}

/** How many entries a file of that size holds. */
export function pageCountOf(fileBytes: number): number {
  return Math.max(0, Math.floor((fileBytes - HEADER_BYTES) / ENTRY_BYTES));
}

/** The header of a table without pages. */
export function emptyPageTableHeader(pageSize: number): PageTableHeader {
  return {
    pageSize,
    pageCount: 0,
    isClean: true,
    absentCount: 0,
    txid: 0,
    rollingChecksum: new RollingChecksum().toBigInt(),
    sum: new Uint32Array(DIGEST_WORDS),
  };
}

/** The header's fields and their checksum. */
export function encodePageTableHeader(header: PageTableHeader): Uint8Array {
  const bytes = new Uint8Array(FIELD_BYTES + CHECK_BYTES);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, MAGIC);
  view.setUint32(4, VERSION);
  view.setUint32(8, header.pageSize);
  view.setUint32(12, header.pageCount);
  view.setUint32(16, header.isClean ? 1 : 0);
  view.setUint32(20, header.absentCount);
  view.setBigUint64(24, BigInt(header.txid));
  view.setBigUint64(32, header.rollingChecksum);
  for (const [word, value] of header.sum.entries()) view.setUint32(40 + word * 4, value);
  bytes.set(checkOf(bytes), FIELD_BYTES);
  return bytes;
}

/**
 * The header of an open table.
 *
 * @throws ReplicationError `page_table_damaged`.
 */
export function readPageTableHeader(
  path: string,
  descriptor: number,
  files: FileOperations,
): PageTableHeader {
  const bytes = new Uint8Array(FIELD_BYTES + CHECK_BYTES);
  if (!readFully(descriptor, bytes, 0, files)) throw damagedTable(path, 'its header is cut off');
  const view = new DataView(bytes.buffer);
  if (view.getUint32(0) !== MAGIC) throw damagedTable(path, 'it is no page table');
  if (view.getUint32(4) !== VERSION) throw damagedTable(path, 'it is of another version');
  if (!checkOf(bytes).equals(bytes.subarray(FIELD_BYTES)))
    throw damagedTable(path, 'its header is torn');
  const { size } = files.fstatSync(descriptor);
  const isClean = view.getUint32(16) === 1;
  const pageCount = isClean ? view.getUint32(12) : pageCountOf(size);
  if (size < offsetOf(pageCount + 1)) throw damagedTable(path, 'it ends too early');
  return {
    pageSize: view.getUint32(8),
    pageCount,
    isClean,
    absentCount: view.getUint32(20),
    txid: Number(view.getBigUint64(24)),
    rollingChecksum: view.getBigUint64(32),
    sum: Uint32Array.from({ length: DIGEST_WORDS }, (_, word) => view.getUint32(40 + word * 4)),
  };
}

function checkOf(bytes: Uint8Array): Buffer {
  return hash('sha256', bytes.subarray(0, FIELD_BYTES), 'buffer').subarray(0, CHECK_BYTES);
}

/** The error for a table that is not what it should be. */
export function damagedTable(path: string, why: string): ReplicationError {
  return new ReplicationError('page_table_damaged', `${path} is damaged: ${why}`, {
    hint: 'Delete it; the node makes it anew by reading the database once.',
  });
}

/**
 * Opens the file of a table.
 *
 * @throws ReplicationError `page_table_missing`, `state_failed`.
 */
export function openPageTableFile(path: string, flags: 'r+' | 'w+', files: FileOperations): number {
  try {
    return files.openSync(path, flags);
  } catch (error) {
    if (errnoOf(error) !== 'ENOENT') throw fileFailure(error, `${path} cannot be opened`, path);
    throw new ReplicationError('page_table_missing', `${path} does not exist`, {
      cause: error,
      hint: 'The node makes it by reading the database once.',
    });
  }
}
