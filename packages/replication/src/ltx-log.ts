import { dirname, join } from 'node:path';
import { assert } from '@tandem/base';
import { LtxDecoder, LtxError, ltxFileName, parseLtxFileName } from '@tandem/ltx';
import { errnoOf, fileFailure, ReplicationError } from './replication-error.ts';
import {
  nodeFiles,
  removeIfExists,
  removeQuietly,
  SmallFile,
  syncFolder,
  TEMPORARY_SUFFIX,
  type FileOperations,
} from './small-file.ts';

/** A file of the log: the transactions it holds, both ends included. */
export interface LogEntry {
  readonly minTxid: number;
  readonly maxTxid: number;
}

/** The same with what retention goes by. */
export interface MeasuredEntry extends LogEntry {
  readonly sizeBytes: number;
  readonly timestampMs: number;
}

/** A file that was found in the log's folder and does not belong to the log. */
export interface Stray extends LogEntry {
  readonly path: string;
  /** `damaged`: the end of the log, cut off. `overlap`: its transactions are in other files too. */
  readonly reason: 'damaged' | 'overlap' | 'gap';
}

export interface LtxLogOptions {
  /** `full` makes each file durable before `append` returns; `none` leaves that to the system. */
  readonly sync: 'none' | 'full';
  readonly files?: FileOperations;
}

interface File {
  readonly minTxid: number;
  readonly maxTxid: number;
  /** Below 0 until it is measured. */
  sizeBytes: number;
  timestampMs: number;
}

const BASE_FILE = 'base.json';
const STRAY_NAME = /^(?<name>.+\.ltx)\.(?<reason>damaged|overlap|gap)(?:\.\d+)?$/;
const READ_BYTES = 1024 * 1024;
const DAMAGED_HINT = 'Delete the file; the node then compares itself with the primary anew.';

/**
 * The last transactions of a database, one file `MIN-MAX.ltx` each, in a folder of its own.
 *
 * 1. The files are contiguous: each begins where the one before ended. One process changes them.
 * 2. A file has its final name only when it is whole, so that a stop at any point leaves a log that
 *    ends with or without the file, and at most temporary names, which `open` removes. With `sync:
 *    'none'` a stop of the whole machine may damage the newest files; `open` cuts these off.
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
  readonly #base: SmallFile<number>;
  #entries: File[];
  #lastTxid: number;
  #isMeasured: boolean;
  #sizeBytes = 0;
  #descriptor: number | undefined;

  private constructor(folder: string, { sync, files = nodeFiles }: LtxLogOptions) {
    this.folder = folder;
    this.#files = files;
    this.#isSynced = sync === 'full';
    this.#base = baseFile(folder, files);
    finishReset(folder, files);
    const found = listFiles(folder, files);
    this.#base.removeLeftover();
    const { run, strays } = chooseRun(folder, found, files);
    this.strays = setAside(folder, strays, files);
    this.#entries = run.map(({ minTxid, maxTxid }) => {
      return { minTxid, maxTxid, sizeBytes: -1, timestampMs: 0 };
    });
    this.#isMeasured = run.length === 0;
    this.#lastTxid = run.at(-1)?.maxTxid ?? this.#base.read() ?? 0;
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
   * Adds a file with the transactions after the last one. Its bytes are `chunks` one after another,
   * its time is that of the last transaction.
   *
   * @throws ReplicationError `disk_full`, `state_failed`; the log is then as it was before.
   */
  append(
    minTxid: number,
    maxTxid: number,
    chunks: readonly Uint8Array[],
    timestampMs: number,
  ): LogEntry {
    assert(minTxid === this.#lastTxid + 1, 'a file begins where the log ends');
    const path = `${this.folder}/${ltxFileName(minTxid, maxTxid)}`;
    const sizeBytes = chunks.reduce((sum, chunk) => sum + chunk.length, 0);
    assert(sizeBytes > 0, 'a file of the log is not empty');
    const temporary = path + TEMPORARY_SUFFIX;
    let written = temporary;
    try {
      this.#write(temporary, chunks, { sizeBytes, timestampMs });
      this.#files.renameSync(temporary, path);
      written = path;
      this.#syncFolder();
    } catch (error) {
      removeQuietly(written, this.#files);
      throw fileFailure(error, `The transaction log in ${this.folder} cannot grow`, this.folder);
    }
    const file = { minTxid, maxTxid, sizeBytes, timestampMs };
    this.#entries.push(file);
    this.#lastTxid = maxTxid;
    if (this.#isMeasured) this.#sizeBytes += sizeBytes;
    return file;
  }

  /**
   * Empties the log, which goes on after `lastTxid`: the database was replaced by a snapshot of that
   * state. A stop at any point leaves the old log or the empty one.
   *
   * @throws ReplicationError `disk_full`, `state_failed`.
   */
  reset(lastTxid: number): void {
    assert(Number.isSafeInteger(lastTxid) && lastTxid >= 0, 'a log goes on after a transaction');
    const { next, old } = swapFolders(this.folder);
    try {
      removeIfExists(next, this.#files);
      this.#files.mkdirSync(next);
      baseFile(next, this.#files).replace(lastTxid);
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
        this.#base.replace(Math.min(txid, (firstMoved?.minTxid ?? Infinity) - 1));
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
    if (this.#descriptor !== undefined) this.#files.closeSync(this.#descriptor);
    this.#descriptor = undefined;
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #write(
    path: string,
    chunks: readonly Uint8Array[],
    { sizeBytes, timestampMs }: { readonly sizeBytes: number; readonly timestampMs: number },
  ): void {
    const descriptor = this.#files.openSync(path, 'w');
    try {
      const written = this.#files.writevSync(descriptor, chunks);
      // Linux writes at most 2 GiB at once, and less when the disk fills up.
      if (written < sizeBytes) this.#writeRest(descriptor, chunks, written);
      this.#files.futimesSync(descriptor, timestampMs / 1000, timestampMs / 1000);
      if (this.#isSynced) this.#files.fsyncSync(descriptor);
    } finally {
      this.#files.closeSync(descriptor);
    }
  }

  #writeRest(descriptor: number, chunks: readonly Uint8Array[], written: number): void {
    let skip = written;
    for (const chunk of chunks) {
      const from = Math.min(skip, chunk.length);
      skip -= from;
      if (from < chunk.length) this.#files.writeFileSync(descriptor, chunk.subarray(from));
    }
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

/** What an emptied log goes on after; without it, an empty folder would say 0. */
function baseFile(folder: string, files: FileOperations): SmallFile<number> {
  const parse = (value: unknown): number => {
    if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0) return value;
    throw new TypeError('it does not hold a transaction id');
  };
  return new SmallFile({ path: join(folder, BASE_FILE), parse, hint: DAMAGED_HINT, files });
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

/** The log's files by their names alone, in the order of their last transactions. */
function listFiles(folder: string, files: FileOperations): LogEntry[] {
  const found: LogEntry[] = [];
  for (const name of files.readdirSync(folder)) {
    const range = parseLtxFileName(name);
    if (range !== undefined) found.push(range);
    else if (name.endsWith(`.ltx${TEMPORARY_SUFFIX}`)) removeIfExists(join(folder, name), files);
  }
  return found.sort((a, b) => a.maxTxid - b.maxTxid || b.minTxid - a.minTxid);
}

type StrayEntry = LogEntry & Pick<Stray, 'reason'>;

function chooseRun(
  folder: string,
  found: LogEntry[],
  files: FileOperations,
): { readonly run: readonly LogEntry[]; readonly strays: readonly StrayEntry[] } {
  const strays: StrayEntry[] = [];
  const rest = found.slice();
  for (let newest = rest.at(-1); newest !== undefined; newest = rest.at(-1)) {
    if (isWhole(folder, newest, files)) break;
    strays.push({ ...newest, reason: 'damaged' });
    rest.pop();
  }
  const run = longestRun(rest);
  const inRun = new Set(run);
  const firstTxid = run[0]?.minTxid ?? 0;
  for (const entry of rest) {
    if (inRun.has(entry)) continue;
    strays.push({ ...entry, reason: entry.maxTxid < firstTxid ? 'gap' : 'overlap' });
  }
  return { run, strays };
}

/**
 * Of files in the order of their last transactions, those that lead up to the last one without a
 * gap or an overlap, from as far back as possible; of equally long runs the one with smaller files.
 */
export function longestRun(found: readonly LogEntry[]): LogEntry[] {
  /** By last transaction: the file that reaches back furthest, and how far that is. */
  const best = new Map<number, { readonly entry: LogEntry; readonly reach: number }>();
  for (const entry of found) {
    const reach = best.get(entry.minTxid - 1)?.reach ?? entry.minTxid;
    const known = best.get(entry.maxTxid);
    if (known === undefined || reach < known.reach) best.set(entry.maxTxid, { entry, reach });
  }
  const run: LogEntry[] = [];
  let next = best.get(found.at(-1)?.maxTxid ?? 0);
  while (next !== undefined) {
    run.push(next.entry);
    next = best.get(next.entry.minTxid - 1);
  }
  return run.reverse();
}

/** True when the file can be decoded to its end and holds what its name says. */
function isWhole(folder: string, entry: LogEntry, files: FileOperations): boolean {
  const decoder = new LtxDecoder();
  const descriptor = files.openSync(join(folder, ltxFileName(entry.minTxid, entry.maxTxid)), 'r');
  try {
    for (;;) {
      const chunk = new Uint8Array(READ_BYTES);
      const byteCount = files.readSync(descriptor, chunk);
      if (byteCount === 0) break;
      decoder.push(chunk.subarray(0, byteCount));
    }
    decoder.finish();
    const { header } = decoder;
    return header?.minTxid === entry.minTxid && header.maxTxid === entry.maxTxid;
  } catch (error) {
    if (error instanceof LtxError) return false;
    throw error;
  } finally {
    files.closeSync(descriptor);
  }
}

/** Moves strays to their folder and lists all that is there. */
function setAside(folder: string, strays: readonly StrayEntry[], files: FileOperations): Stray[] {
  const target = `${folder}.strays`;
  if (strays.length > 0) files.mkdirSync(target, { recursive: true });
  for (const { minTxid, maxTxid, reason } of strays) {
    const name = ltxFileName(minTxid, maxTxid);
    const path = join(target, `${name}.${reason}`);
    let free = path;
    for (let number = 2; files.existsSync(free); number += 1) free = `${path}.${number}`;
    files.renameSync(join(folder, name), free);
  }
  return listStrays(target, files);
}

function listStrays(folder: string, files: FileOperations): Stray[] {
  if (!files.existsSync(folder)) return [];
  const strays = files.readdirSync(folder).flatMap((fileName): Stray[] => {
    const { name = '', reason } = STRAY_NAME.exec(fileName)?.groups ?? {};
    const range = parseLtxFileName(name);
    if (range === undefined) return [];
    const path = join(folder, fileName);
    if (reason === 'damaged' || reason === 'overlap' || reason === 'gap') {
      return [{ ...range, path, reason }];
    }
    return [];
  });
  return strays.sort((a, b) => a.minTxid - b.minTxid);
}

function readFailure(error: unknown, path: string): unknown {
  if (errnoOf(error) !== 'ENOENT') return fileFailure(error, `${path} cannot be read`, path);
  return new ReplicationError('log_missing', `${path} is gone`, {
    cause: error,
    hint: 'Nothing but this program may delete files of the log; restart to go on with the rest.',
  });
}
