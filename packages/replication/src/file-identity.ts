import { statSync } from 'node:fs';
import { SmallFile } from './small-file.ts';

/** What tells that a file has not been written since. */
export interface FileIdentity {
  readonly inode: string;
  readonly sizeBytes: string;
  readonly modifiedNs: string;
  readonly txid: number;
}

/**
 * Remembers a database file that held a whole state while SQLite's log was empty. The log's own
 * facts name a state as long as it has frames; without them there is only the file. A write in the
 * same instant of the file system's clock as the last one of ours would not show, which is why the
 * check is used for a file that we were the last to close, and a scan in the background follows.
 */
export class FileIdentityRecord {
  readonly #file: SmallFile<FileIdentity>;
  readonly #databasePath: string;

  constructor(path: string, databasePath: string) {
    this.#databasePath = databasePath;
    this.#file = new SmallFile({ path, parse, hint: 'Remove the file; pages are then compared.' });
  }

  /** Records that the database file alone holds the state at `txid`. */
  write(txid: number): void {
    this.#file.replace({ ...identityOf(this.#databasePath), txid });
  }

  /**
   * The txid of the state that the file holds, if it is still the one recorded and the log beside it
   * is empty.
   */
  heldTxid(): number | undefined {
    const recorded = this.#file.read();
    if (recorded === undefined || logBytes(this.#databasePath) > 0) return undefined;
    const { inode, sizeBytes, modifiedNs } = identityOf(this.#databasePath);
    const isSame =
      recorded.inode === inode &&
      recorded.sizeBytes === sizeBytes &&
      recorded.modifiedNs === modifiedNs;
    return isSame ? recorded.txid : undefined;
  }
}

function identityOf(path: string): Omit<FileIdentity, 'txid'> {
  const { ino, size, mtimeNs } = statSync(path, { bigint: true });
  return { inode: String(ino), sizeBytes: String(size), modifiedNs: String(mtimeNs) };
}

function logBytes(path: string): number {
  return statSync(`${path}-wal`, { throwIfNoEntry: false })?.size ?? 0;
}

function parse(value: unknown): FileIdentity {
  const { inode, sizeBytes, modifiedNs, txid } = Object(value) as Partial<FileIdentity>;
  const isWhole = [inode, sizeBytes, modifiedNs].every((part) => typeof part === 'string');
  if (!isWhole || typeof txid !== 'number') throw new TypeError('a field is missing');
  return { inode: String(inode), sizeBytes: String(sizeBytes), modifiedNs: String(modifiedNs), txid };
}
