import { closeSync, constants, fdatasyncSync, openSync, readSync, writeSync } from 'node:fs';
import { crc32 } from 'node:zlib';
import type { WalCursor } from './wal-cursor.ts';

export type Role = 'primary' | 'replica';

/** Where in SQLite's log the state named by a txid ends. */
export interface AppliedRecord {
  readonly txid: number;
  /** Who wrote the log up to there: applications, or we. */
  readonly role: Role;
  readonly cursor: WalCursor;
}

const RECORD_BYTES = 64;
const MAGIC = 0x5441_4e31;
const BODY_BYTES = 48;

/**
 * The newest `AppliedRecord`, written after each transaction without a sync: it survives the death
 * of the process. After a loss of power it may be older than the log, which its reader has to expect.
 */
export class AppliedFile {
  readonly #descriptor: number;
  readonly #bytes = Buffer.alloc(RECORD_BYTES);

  constructor(path: string) {
    this.#descriptor = openSync(path, constants.O_RDWR | constants.O_CREAT, 0o644);
  }

  /** The record, or undefined when there is none or it is damaged. */
  read(): AppliedRecord | undefined {
    const bytes = this.#bytes;
    const isWhole = readSync(this.#descriptor, bytes, 0, RECORD_BYTES, 0) === RECORD_BYTES;
    if (!isWhole || bytes.readUInt32BE(0) !== MAGIC) return undefined;
    if (crc32(bytes.subarray(0, BODY_BYTES)) !== bytes.readUInt32BE(BODY_BYTES)) return undefined;
    const flags = bytes.readUInt32BE(4);
    return {
      txid: bytes.readDoubleBE(8),
      role: (flags & 1) === 1 ? 'primary' : 'replica',
      cursor: {
        generation: {
          isBigEndianChecksum: (flags & 2) === 2,
          pageSize: bytes.readUInt32BE(16),
          salt1: bytes.readUInt32BE(20),
          salt2: bytes.readUInt32BE(24),
        },
        position: {
          frame: bytes.readUInt32BE(28),
          s0: bytes.readUInt32BE(32),
          s1: bytes.readUInt32BE(36),
        },
      },
    };
  }

  /** With `isSynced`, durably. */
  write({ txid, role, cursor }: AppliedRecord, isSynced: boolean): void {
    const bytes = this.#bytes;
    const { generation, position } = cursor;
    const flags = (role === 'primary' ? 1 : 0) | (generation.isBigEndianChecksum ? 2 : 0);
    bytes.fill(0);
    bytes.writeUInt32BE(MAGIC, 0);
    bytes.writeUInt32BE(flags, 4);
    bytes.writeDoubleBE(txid, 8);
    bytes.writeUInt32BE(generation.pageSize, 16);
    bytes.writeUInt32BE(generation.salt1, 20);
    bytes.writeUInt32BE(generation.salt2, 24);
    bytes.writeUInt32BE(position.frame, 28);
    bytes.writeUInt32BE(position.s0, 32);
    bytes.writeUInt32BE(position.s1, 36);
    bytes.writeUInt32BE(crc32(bytes.subarray(0, BODY_BYTES)), BODY_BYTES);
    writeSync(this.#descriptor, bytes, 0, RECORD_BYTES, 0);
    if (isSynced) fdatasyncSync(this.#descriptor);
  }

  close(): void {
    closeSync(this.#descriptor);
  }
}
