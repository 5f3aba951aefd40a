import { closeSync, constants, fstatSync, openSync, readSync, writeSync } from 'node:fs';
import { crc32 } from 'node:zlib';
import { FRAME_HEADER_BYTES, frameOffset, parseFrameHeader } from '@tandem/sqlite-format';
import type { OpenDatabase } from './open-database.ts';
import { isSameGeneration, type WalCursor } from './wal-cursor.ts';

const RECORD_BYTES = 64;
const MAGIC = 0x5441_4e43;
const BODY_BYTES = 56;

/**
 * Remembers that a primary's database file held everything up to a transaction when all of SQLite's
 * log had been copied into it: the next commit begins the log anew, and if the process dies before it
 * has captured that one, nothing else leads from the log to what is known. Written in place without a
 * sync, which the death of a process does not need; after a loss of power the file's times tell.
 */
export class CheckpointedFile {
  readonly #descriptor: number;
  readonly #bytes = Buffer.alloc(RECORD_BYTES);

  constructor(path: string) {
    this.#descriptor = openSync(path, constants.O_RDWR | constants.O_CREAT, 0o644);
  }

  /**
   * The database file holds the state at `txid`, which ends with the log at `end`. The standing reader
   * has to look at the file alone, so that nobody writes it.
   */
  write(open: OpenDatabase, txid: number, end: WalCursor): void {
    const bytes = this.#bytes;
    bytes.fill(0);
    bytes.writeUInt32BE(MAGIC, 0);
    bytes.writeDoubleBE(txid, 8);
    putIdentity(open, bytes);
    bytes.writeUInt32BE(end.generation.salt1, 40);
    bytes.writeUInt32BE(end.generation.salt2, 44);
    bytes.writeUInt32BE(end.position.frame, 48);
    bytes.writeUInt32BE(crc32(bytes.subarray(0, BODY_BYTES)), BODY_BYTES);
    writeSync(this.#descriptor, bytes, 0, RECORD_BYTES, 0);
  }

  /**
   * The transaction after which everything in SQLite's log came, and nothing else did. Undefined when
   * that is not known: when the file has been written since, or the log is not the very next one.
   */
  heldTxid(open: OpenDatabase): number | undefined {
    const bytes = this.#bytes;
    const isWhole = readSync(this.#descriptor, bytes, 0, RECORD_BYTES, 0) === RECORD_BYTES;
    if (!isWhole || bytes.readUInt32BE(0) !== MAGIC) return undefined;
    if (crc32(bytes.subarray(0, BODY_BYTES)) !== bytes.readUInt32BE(BODY_BYTES)) return undefined;
    const identity = Buffer.alloc(RECORD_BYTES);
    putIdentity(open, identity);
    if (!identity.subarray(16, 40).equals(bytes.subarray(16, 40))) return undefined;
    const [salt1, salt2] = [bytes.readUInt32BE(40), bytes.readUInt32BE(44)];
    // SQLite adds one to the first salt whenever the log begins anew, and makes up the second.
    const { salt1: newSalt1 } = open.readWalIndexHeader();
    if (newSalt1 !== (salt1 + 1) >>> 0) return undefined;
    const next = bytes.readUInt32BE(48) + 1;
    return hasFrame(open, next, { salt1, salt2 }) ? undefined : bytes.readDoubleBE(8);
  }

  close(): void {
    closeSync(this.#descriptor);
  }
}

function putIdentity(open: OpenDatabase, bytes: Buffer): void {
  const { ino, size, mtimeNs } = fstatSync(open.databaseFd, { bigint: true });
  bytes.writeBigUInt64BE(ino, 16);
  bytes.writeBigUInt64BE(size, 24);
  bytes.writeBigUInt64BE(mtimeNs, 32);
}

/** Whether that frame of an old log is still there: it went on after all, and was copied unseen. */
function hasFrame(
  open: OpenDatabase,
  frame: number,
  generation: { readonly salt1: number; readonly salt2: number },
): boolean {
  const bytes = new Uint8Array(FRAME_HEADER_BYTES);
  const offset = frameOffset(frame, open.pageSize);
  if (readSync(open.walFd, bytes, 0, bytes.length, offset) < bytes.length) return false;
  return isSameGeneration(parseFrameHeader(bytes, 0), generation);
}
