import { readFile, stat } from 'node:fs/promises';
import { Reader, type Response } from 'mmdb-lib';

/** What happened to a database file, for the log and for the operator's page. */
export interface MmdbNotice {
  readonly kind: 'loaded' | 'failed';
  readonly path: string;
  readonly message: string;
  readonly hint?: string;
}

export interface MmdbFileOptions {
  readonly path: string;
  readonly onNotice: (notice: MmdbNotice) => void;
}

/** How often, at most, `checkAt` looks at the file. */
const CHECK_INTERVAL_MS = 10_000;
/** Addresses looked up before a new file is put to use, spread over both families. */
const PROBES: readonly string[] = [
  ...Array.from({ length: 223 }, (_, index) => `${index + 1}.${(index * 37) % 256}.10.1`),
  ...Array.from({ length: 64 }, (_, index) => `2${(index * 64).toString(16).padStart(3, '0')}::1`),
];
const HINT = 'Put a whole MMDB file there, best by renaming it into place; it is read by itself.';

/**
 * A MaxMind database file that the operator may replace at any time.
 *
 * It is read into memory in the background, by `refresh` and, when size, time or inode
 * have changed, by `checkAt`. A file that is missing, broken or
 * still being written changes nothing: the reader before it stays, `onNotice` says so once, and the
 * next check tries again. Nothing here throws.
 */
export class MmdbFile {
  readonly #options: MmdbFileOptions;
  #reader: Reader<Response> | null = null;
  #generation = 0;
  /** Size, time and inode of the file last read, good or bad. */
  #seen: string | null = null;
  #lastFailure: string | null = null;
  #nextCheckMs = 0;
  #refreshing: Promise<void> | null = null;

  constructor(options: MmdbFileOptions) {
    this.#options = options;
  }

  /** Grows by one each time another file is put to use; what was remembered is then stale. */
  get generation(): number {
    return this.#generation;
  }

  /** Looks in the background whether the file is another one, if the last look was long ago. */
  checkAt(nowMs: number): void {
    if (nowMs < this.#nextCheckMs) return;
    this.#nextCheckMs = nowMs + CHECK_INTERVAL_MS;
    void this.refresh();
  }

  /** The record of `address`, or null: none, no file, or a file that breaks at this place. */
  get(address: string): unknown {
    if (this.#reader === null) return null;
    try {
      return this.#reader.get(address);
    } catch (error) {
      this.#fail(`The database breaks at some addresses: ${messageOf(error)}`);
      return null;
    }
  }

  /** Reads the file if it is another one than before. Ends when that is done, well or badly. */
  refresh(): Promise<void> {
    this.#refreshing ??= this.#readIfChanged().finally(() => {
      this.#refreshing = null;
    });
    return this.#refreshing;
  }

  async #readIfChanged(): Promise<void> {
    try {
      const before = await this.#fingerprint();
      if (before === this.#seen) return;
      const bytes = await readFile(this.#options.path);
      const isStill = (await this.#fingerprint()) === before;
      if (!isStill) return;
      this.#seen = before;
      this.#reader = checkedReader(bytes);
      this.#generation += 1;
      this.#lastFailure = null;
      this.#options.onNotice({ kind: 'loaded', path: this.#options.path, message: 'Loaded.' });
    } catch (error) {
      this.#fail(messageOf(error));
    }
  }

  async #fingerprint(): Promise<string> {
    const { size, mtimeMs, ino } = await stat(this.#options.path);
    return `${size} ${mtimeMs} ${ino}`;
  }

  #fail(message: string): void {
    if (message === this.#lastFailure) return;
    this.#lastFailure = message;
    const kept = this.#reader === null ? '' : ' The database read before stays in use.';
    this.#options.onNotice({
      kind: 'failed',
      path: this.#options.path,
      message: message + kept,
      hint: HINT,
    });
  }
}

/**
 * A reader of `bytes` that has been tried out: a torn file may have its metadata, which stands at
 * the end, and lack what comes before it.
 *
 * @throws Error when the bytes are no whole database.
 */
export function checkedReader(bytes: Buffer): Reader<Response> {
  const reader = new Reader<Response>(bytes);
  const { searchTreeSize, ipVersion } = reader.metadata;
  if (searchTreeSize >= bytes.length) throw new Error('The database is shorter than its index.');
  for (const probe of PROBES) {
    if (ipVersion === 6 || !probe.includes(':')) reader.get(probe);
  }
  return reader;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
