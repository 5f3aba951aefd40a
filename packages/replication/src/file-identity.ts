import { statSync } from 'node:fs';
import { ReplicationError } from './replication-error.ts';
import { SmallFile } from './small-file.ts';

/** What tells that a file has not been written since. */
export interface FileIdentity {
  readonly inode: string;
  readonly sizeBytes: string;
  readonly modifiedNs: string;
  readonly txid: number;
}

/** File systems stamp changes with a clock that ticks every few milliseconds. */
const CLOCK_TICK_MS = 20;

/**
 * Remembers a database file that held a whole state by itself, while SQLite's log was empty. As long
 * as the file is the same, everything in the log came after.
 */
export class FileIdentityRecord {
  readonly #file: SmallFile<FileIdentity>;
  readonly #databasePath: string;

  constructor(path: string, databasePath: string) {
    this.#databasePath = databasePath;
    this.#file = new SmallFile({ path, parse, hint: 'Remove the file; pages are then compared.' });
  }

  /** Records that the database file alone holds the state at `txid`. Nobody writes meanwhile. */
  write(txid: number): void {
    if (this.heldTxid() !== txid) this.#file.replace({ ...identityOf(this.#databasePath), txid });
  }

  /**
   * Returns when a write to the file would show: not in the same tick of the file system's clock as
   * the last one. For when others may write again.
   */
  settleTime(): void {
    const ageMs = Date.now() - statSync(this.#databasePath).mtimeMs;
    const restMs = Math.min(CLOCK_TICK_MS, CLOCK_TICK_MS - ageMs);
    if (restMs > 0) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, restMs);
  }

  /** The txid of the state that the file holds, if it is still the one recorded. */
  heldTxid(): number | undefined {
    const recorded = this.#read();
    if (recorded === undefined) return undefined;
    const { inode, sizeBytes, modifiedNs } = identityOf(this.#databasePath);
    const isSame =
      recorded.inode === inode &&
      recorded.sizeBytes === sizeBytes &&
      recorded.modifiedNs === modifiedNs;
    return isSame ? recorded.txid : undefined;
  }

  /** A damaged record is none: it only ever spares work. */
  #read(): FileIdentity | undefined {
    try {
      return this.#file.read();
    } catch (error) {
      if (error instanceof ReplicationError && error.code === 'state_damaged') return undefined;
      throw error;
    }
  }
}

function identityOf(path: string): Omit<FileIdentity, 'txid'> {
  const { ino, size, mtimeNs } = statSync(path, { bigint: true });
  return { inode: String(ino), sizeBytes: String(size), modifiedNs: String(mtimeNs) };
}

function parse(value: unknown): FileIdentity {
  const { inode, sizeBytes, modifiedNs, txid } = Object(value) as Partial<FileIdentity>;
  const isWhole = [inode, sizeBytes, modifiedNs].every((part) => typeof part === 'string');
  if (!isWhole || typeof txid !== 'number') throw new TypeError('a field is missing');
  return {
    inode: String(inode),
    sizeBytes: String(sizeBytes),
    modifiedNs: String(modifiedNs),
    txid,
  };
}
