import { dirname, join } from 'node:path';
import { assert } from '@tandem/base';
import { CHECKSUM_FLAG, ltxFileName, TRAILER_BYTES } from '@tandem/ltx';
import {
  chooseRun,
  listLogFiles,
  setStraysAside,
  type LogEntry,
  type Stray,
} from './ltx-log-run.ts';
import { errnoOf, fileFailure, ReplicationError } from './replication-error.ts';
import { LogBaseFile } from './log-base.ts';
import {
  nodeFiles,
  readFully,
  removeIfExists,
  removeQuietly,
  syncFolder,
  TEMPORARY_SUFFIX,
  writeFully,
  type FileOperations,
} from './small-file.ts';

export type { LogEntry, Stray } from './ltx-log-run.ts';

/** The same with what retention goes by. */
export interface MeasuredEntry extends LogEntry {
  readonly sizeBytes: number;
  readonly timestampMs: number;
}

export interface LtxLogOptions {
  /** With `full`, `flush` makes durable what was appended; with `none` that is left to the system. */
  readonly sync: 'none' | 'full';
  /** Files with transactions after this one are looked at as a whole. */
  readonly verifiedTxid?: number;
  readonly files?: FileOperations;
}

interface File {
  readonly minTxid: number;
  readonly maxTxid: number;
  /** Below 0 until it is measured. */
  sizeBytes: number;
  timestampMs: number;
}

/** So many files wait for a `flush` at most. */
const UNSYNCED_MAX = 64;

/**
 * The last transactions of a database, one file `MIN-MAX.ltx` each, in a folder of its own.
 *
 * 1. The files are contiguous: each begins where the one before ended. One process changes them.
 * 2. A file has its final name only when it is written, so that the death of the process at any point
 *    leaves a log that ends with or without the file, and at most temporary names, which `open`
 *    removes. A stop of the whole machine may damage files after the last `flush`; `open` cuts off
 *    the first of these and all that follow.
 * 3. No file is deleted except by `removeThrough` and `reset`. What does not fit is moved to
 *    `FOLDER.strays`, and reported by every `open` until somebody takes it from there.
 * 4. A file's modification time is the time of its last transaction.
 */
export class LtxLog {
  readonly folder: string;
  /** What lies in `FOLDER.strays`. */
  readonly strays: readonly Stray[];
  readonly #files: FileOperations;
  readonly #isSynced: boolean;
  readonly #base: LogBaseFile;
  #baseChecksum: bigint | undefined;
  #entries: File[];
  #lastTxid: number;
  #isMeasured: boolean;
  #sizeBytes = 0;
  #descriptor: number | undefined;
  /** Descriptors of the files that were appended since the last `flush`. */
  #unsynced: number[] = [];

  private constructor(
    folder: string,
    { sync, verifiedTxid = Infinity, files = nodeFiles }: LtxLogOptions,
  ) {
    this.folder = folder;
    this.#files = files;
    this.#isSynced = sync === 'full';
    this.#base = new LogBaseFile(folder, files);
    finishReset(folder, files);
    const found = listLogFiles(folder, files);
    this.#base.removeLeftover();
    const { run, strays } = chooseRun(folder, found, verifiedTxid, files);
    this.strays = setStraysAside(folder, strays, files);
    this.#entries = run.map(({ minTxid, maxTxid }) => {
      return { minTxid, maxTxid, sizeBytes: -1, timestampMs: 0 };
    });
    this.#isMeasured = run.length === 0;
    const base = run.length === 0 ? this.#base.read() : undefined;
    this.#lastTxid = run.at(-1)?.maxTxid ?? base?.txid ?? 0;
    this.#baseChecksum = base?.checksum;
    this.#openFolder();
  }

  /**
   * Opens the log in `folder`, which is made when it is not there. It ends with the newest file that
   * is whole, and reaches back as far as there is no gap.
   *
   * @throws ReplicationError `disk_full`, `state_failed`, `state_damaged`.
   */
  static open(folder: string, options: LtxLogOptions): LtxLog {
    try {
      return new LtxLog(folder, options);
    } catch (error) {
      throw fileFailure(error, `The log in ${folder} cannot be opened`, folder);
    }
  }

  /** The first transaction the log holds; 0 when it holds none. */
  get firstTxid(): number {
    return this.#entries[0]?.minTxid ?? 0;
  }

  /**
   * The last transaction the log holds, or where it was reset to while it holds none; 0 for a log
   * that never held any.
   */
  get lastTxid(): number {
    return this.#lastTxid;
  }

  /** The rolling checksum of the database at `lastTxid` while the log holds no file, if it is known. */
  get baseChecksum(): bigint | undefined {
    return this.#entries.length === 0 ? this.#baseChecksum : undefined;
  }

  get fileCount(): number {
    return this.#entries.length;
  }

  /**
   * The size of all files. It is known after the first call, which looks at each file.
   *
   * @throws ReplicationError `log_missing`, `state_failed`.
   */
  get sizeBytes(): number {
    this.#measure();
    return this.#sizeBytes;
  }

  /** All files in the order of transactions. */
  entries(): LogEntry[] {
    return this.#entries.slice();
  }

  /**
   * As `entries`, with sizes and times, which the first call reads from each file.
   *
   * @throws ReplicationError `log_missing`, `state_failed`.
   */
  measuredEntries(): MeasuredEntry[] {
    this.#measure();
    return this.#entries.slice();
  }

  /** The file that holds `txid`, or undefined when none does. */
  find(txid: number): LogEntry | undefined {
    let low = 0;
    let high = this.#entries.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#entries[middle]?.maxTxid ?? 0) < txid) low = middle + 1;
      else high = middle;
    }
    const entry = this.#entries[low];
    return entry !== undefined && entry.minTxid <= txid ? entry : undefined;
  }

  /** Where the bytes of a file are. */
  pathOf(entry: LogEntry): string {
    return `${this.folder}/${ltxFileName(entry.minTxid, entry.maxTxid)}`;
  }

  /**
   * @throws ReplicationError `log_missing`, `state_failed`.
   */
  sizeOf(entry: LogEntry): number {
    const path = this.pathOf(entry);
    try {
      return this.#files.statSync(path).size;
    } catch (error) {
      throw readFailure(error, path);
    }
  }

  /**
   * The bytes of a file. They are as they were written unless the disk failed; decoding verifies it.
   *
   * @throws ReplicationError `log_missing`, `state_failed`.
   */
  readFile(entry: LogEntry): Uint8Array<ArrayBuffer> {
    const path = this.pathOf(entry);
    try {
      return this.#files.readFileSync(path);
    } catch (error) {
      throw readFailure(error, path);
    }
  }

  /**
   * The checksum of the database after a file's transactions, as its last bytes say; undefined when
   * the file has none.
   *
   * @throws ReplicationError `log_missing`, `state_failed`.
   */
  checksumAfter(entry: LogEntry): bigint | undefined {
    const path = this.pathOf(entry);
    try {
      const descriptor = this.#files.openSync(path, 'r');
      try {
        const bytes = new Uint8Array(TRAILER_BYTES);
        const { size } = this.#files.fstatSync(descriptor);
        if (!readFully(descriptor, bytes, size - TRAILER_BYTES, this.#files)) return undefined;
        const checksum = new DataView(bytes.buffer).getBigUint64(0);
        return (checksum & CHECKSUM_FLAG) === 0n ? undefined : checksum;
      } finally {
        this.#files.closeSync(descriptor);
      }
    } catch (error) {
      throw readFailure(error, path);
    }
  }

  /**
   * Adds a file with the transactions after the last one. `fill` writes its content, piece by piece;
   * its time is that of the last transaction. It is durable after the next `flush`.
   *
   * @throws ReplicationError `disk_full`, `state_failed`, and whatever `fill` throws; the log is then
   * as it was before.
   */
  append(
    { minTxid, maxTxid }: LogEntry,
    timestampMs: number,
    fill: (write: (bytes: Uint8Array) => void) => void,
  ): LogEntry {
    assert(
      minTxid === this.#lastTxid + 1 && maxTxid >= minTxid,
      'a file begins where the log ends',
    );
    if (this.#unsynced.length >= UNSYNCED_MAX) this.flush();
    const path = `${this.folder}/${ltxFileName(minTxid, maxTxid)}`;
    const temporary = path + TEMPORARY_SUFFIX;
    let sizeBytes: number;
    try {
      sizeBytes = this.#write(temporary, timestampMs, fill);
      this.#files.renameSync(temporary, path);
    } catch (error) {
      removeQuietly(temporary, this.#files);
      throw fileFailure(error, `The transaction log in ${this.folder} cannot grow`, this.folder);
    }
    const file = { minTxid, maxTxid, sizeBytes, timestampMs };
    this.#entries.push(file);
    this.#lastTxid = maxTxid;
    if (this.#isMeasured) this.#sizeBytes += sizeBytes;
    return file;
  }

  /**
   * Makes everything that was appended durable. Costs nothing when nothing was.
   *
   * @throws ReplicationError `disk_full`, `state_failed`; the next call tries again.
   */
  flush(): void {
    if (this.#unsynced.length === 0) return;
    try {
      for (const descriptor of this.#unsynced) this.#files.fsyncSync(descriptor);
      this.#syncFolder();
    } catch (error) {
      throw fileFailure(error, `The log in ${this.folder} cannot be synced`, this.folder);
    }
    this.#closeUnsynced();
  }

  /**
   * Empties the log, which goes on after `lastTxid`: the database was replaced by a snapshot of that
   * state, whose rolling checksum may be given. A stop at any point leaves the old log or the empty one.
   *
   * @throws ReplicationError `disk_full`, `state_failed`.
   */
  reset(lastTxid: number, checksum?: bigint): void {
    assert(Number.isSafeInteger(lastTxid) && lastTxid >= 0, 'a log goes on after a transaction');
    const { next, old } = swapFolders(this.folder);
    try {
      removeIfExists(next, this.#files);
      this.#files.mkdirSync(next);
      new LogBaseFile(next, this.#files).replace({ txid: lastTxid, checksum });
      this.close();
      this.#files.renameSync(this.folder, old);
      this.#files.renameSync(next, this.folder);
      syncFolder(dirname(this.folder), this.#files);
      this.#openFolder();
    } catch (error) {
      throw fileFailure(error, `The log in ${this.folder} cannot be emptied`, this.folder);
    }
    this.#entries = [];
    this.#lastTxid = lastTxid;
    this.#baseChecksum = checksum;
    this.#isMeasured = true;
    this.#sizeBytes = 0;
    removeIfExists(old, this.#files);
  }

  /**
   * Deletes the files whose last transaction is at most `txid`, the oldest first. The newest file
   * stays in any case. Returns how many went.
   *
   * @throws ReplicationError `state_failed`; the log then lacks what went before.
   */
  removeThrough(txid: number): number {
    let count = 0;
    try {
      for (const file of this.#entries.slice(0, -1)) {
        if (file.maxTxid > txid) break;
        this.#files.rmSync(this.pathOf(file), { force: true });
        count += 1;
        if (this.#isMeasured) this.#sizeBytes -= file.sizeBytes;
      }
      return count;
    } catch (error) {
      throw fileFailure(error, `The log in ${this.folder} cannot be shortened`, this.folder);
    } finally {
      this.#entries.splice(0, count);
    }
  }

  /**
   * Moves the files with transactions after `txid` to `targetFolder`, the newest first, and returns
   * them in the order of transactions. A file cannot be cut, so that the log may end before `txid`.
   * A stop at any point leaves a log that ends earlier than before.
   *
   * @throws ReplicationError `disk_full`, `state_failed`; what was moved before is there.
   */
  truncateAfter(txid: number, targetFolder: string): LogEntry[] {
    const moved: File[] = [];
    const keptCount = this.#entries.findLastIndex(({ maxTxid }) => maxTxid <= txid) + 1;
    const firstMoved = this.#entries[keptCount];
    try {
      if (keptCount === 0 && this.#lastTxid > txid) {
        this.#base.replace({ txid: Math.min(txid, (firstMoved?.minTxid ?? Infinity) - 1) });
        this.#baseChecksum = undefined;
      }
      for (const file of this.#entries.slice(keptCount).reverse()) {
        this.#moveTo(targetFolder, file);
        this.#entries.pop();
        this.#lastTxid = file.minTxid - 1;
        if (this.#isMeasured) this.#sizeBytes -= file.sizeBytes;
        moved.unshift(file);
      }
      if (moved.length > 0) this.#syncFolder();
    } catch (error) {
      throw fileFailure(error, `The log in ${this.folder} cannot be cut`, this.folder);
    }
    this.#lastTxid = Math.min(this.#lastTxid, txid);
    return moved;
  }

  /** Lets go of the folder. The log is not used after it. */
  close(): void {
    this.#closeUnsynced();
    if (this.#descriptor !== undefined) this.#files.closeSync(this.#descriptor);
    this.#descriptor = undefined;
  }

  [Symbol.dispose](): void {
    this.close();
  }

  /** Writes a file, keeps it open for the next `flush` and returns its size. */
  #write(
    path: string,
    timestampMs: number,
    fill: (write: (bytes: Uint8Array) => void) => void,
  ): number {
    const descriptor = this.#files.openSync(path, 'w');
    let isKept = false;
    try {
      let sizeBytes = 0;
      fill((bytes) => {
        writeFully(descriptor, bytes, sizeBytes, this.#files);
        sizeBytes += bytes.length;
      });
      assert(sizeBytes > 0, 'a file of the log is not empty');
      this.#files.futimesSync(descriptor, timestampMs / 1000, timestampMs / 1000);
      if (this.#isSynced) this.#unsynced.push(descriptor);
      isKept = this.#isSynced;
      return sizeBytes;
    } finally {
      if (!isKept) this.#files.closeSync(descriptor);
    }
  }

  #closeUnsynced(): void {
    for (const descriptor of this.#unsynced.splice(0)) this.#files.closeSync(descriptor);
  }

  #moveTo(targetFolder: string, entry: LogEntry): void {
    const target = join(targetFolder, ltxFileName(entry.minTxid, entry.maxTxid));
    assert(!this.#files.existsSync(target), 'a set-aside file is never written over');
    this.#files.renameSync(this.pathOf(entry), target);
  }

  #measure(): void {
    if (this.#isMeasured) return;
    for (const file of this.#entries) {
      if (file.sizeBytes >= 0) continue;
      const path = this.pathOf(file);
      try {
        const { size, mtimeMs } = this.#files.statSync(path);
        file.sizeBytes = size;
        file.timestampMs = mtimeMs;
      } catch (error) {
        throw readFailure(error, path);
      }
    }
    this.#sizeBytes = this.#entries.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
    this.#isMeasured = true;
  }

  #openFolder(): void {
    if (this.#isSynced) this.#descriptor = this.#files.openSync(this.folder, 'r');
  }

  #syncFolder(): void {
    if (this.#descriptor !== undefined) this.#files.fsyncSync(this.#descriptor);
  }
}

function swapFolders(folder: string): { readonly next: string; readonly old: string } {
  return { next: `${folder}.next`, old: `${folder}.old` };
}

/** Completes or forgets a `reset` that was stopped. */
function finishReset(folder: string, files: FileOperations): void {
  const { next, old } = swapFolders(folder);
  // The old folder leaves only once the new one is whole.
  if (!files.existsSync(folder) && files.existsSync(next)) files.renameSync(next, folder);
  files.mkdirSync(folder, { recursive: true });
  removeIfExists(next, files);
  removeIfExists(old, files);
}

function readFailure(error: unknown, path: string): unknown {
  if (errnoOf(error) !== 'ENOENT') return fileFailure(error, `${path} cannot be read`, path);
  return new ReplicationError('log_missing', `${path} is gone`, {
    cause: error,
    hint: 'Nothing but this program may delete files of the log; restart to go on with the rest.',
  });
}
