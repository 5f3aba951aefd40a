import { basename, join } from 'node:path';
import { assert } from '@tandem/base';
import { errnoOf, fileFailure, ReplicationError } from './replication-error.ts';
import {
  nodeFiles,
  removeQuietly,
  replaceFile,
  SmallFile,
  syncFolder,
  TEMPORARY_SUFFIX,
  type FileOperations,
} from './small-file.ts';

/** What SQLite keeps beside a database; it belongs to it and must not meet another one. */
const COMPANIONS = ['', '-journal', '-wal', '-shm'] as const;
const WHY_FILE = 'why.json';
/** Leaves room for the date and three numbers in the 255 bytes of a file name. */
const NAME_CHARACTERS_MAX = 120;
/** Cases of the same second, database and range. More means that something goes round in circles. */
const SAME_NAMES_MAX = 1000;
const DAMAGED_HINT = 'The files beside it are unharmed; delete or correct this one.';

/** Why something is set aside, and what it is. */
export interface QuarantineReason {
  readonly atMs: number;
  /** The database's name, which may contain slashes. */
  readonly database: string;
  /** The epoch in which the set-aside transactions were made; 0 when that is not known. */
  readonly epoch: number;
  /** The first and last transaction set aside; both 0 when it is not known which they are. */
  readonly minTxid: number;
  readonly maxTxid: number;
  /** One sentence for whoever finds the folder. */
  readonly reason: string;
}

/** A folder of the quarantine; what the line in the log says. */
export interface QuarantineCase extends QuarantineReason {
  readonly folder: string;
}

/** A file on its way: it is known by its inode, so that no later file of that path is taken for it. */
interface PendingMove {
  readonly from: string;
  readonly inode: number;
}

interface WhyFile extends QuarantineReason {
  /** Moves that were begun and not confirmed. */
  readonly pending: readonly PendingMove[];
}

/**
 * The folder `STATE/quarantine`, where what a node can no longer use is kept for people: one folder
 * `DATE-NAME-EPOCH-MIN-MAX` per case, with a `why.json`. Nothing in it is ever written over, read
 * back or deleted by this program, so it has no bound: an operator empties it.
 *
 * `why.json` is durable before the first file moves, and lists the files of a database until all
 * have arrived. After a crash between two of them `finishMoves` brings the rest.
 */
export class Quarantine {
  readonly folder: string;
  readonly #files: FileOperations;
  #openedCount = 0;

  constructor(folder: string, files: FileOperations = nodeFiles) {
    this.folder = folder;
    this.#files = files;
  }

  /** Cases that this process has begun. */
  get openedCount(): number {
    return this.#openedCount;
  }

  /**
   * Makes the folder for a case. Its path may be given to whatever moves files there.
   *
   * @throws ReplicationError `disk_full`, `state_failed`.
   */
  open(reason: QuarantineReason): QuarantineCase {
    try {
      this.#files.mkdirSync(this.folder, { recursive: true });
      const folder = this.#makeFolder(folderName(reason));
      syncFolder(this.folder, this.#files);
      const quarantineCase = { ...reason, folder };
      this.#writeWhy(quarantineCase, []);
      this.#openedCount += 1;
      return quarantineCase;
    } catch (error) {
      throw this.#failure(error);
    }
  }

  /**
   * Moves single files, such as those of the log, into the folder of a case, under their names.
   *
   * @throws ReplicationError `disk_full`, `state_failed`. Files already moved stay there.
   */
  moveFiles({ folder }: QuarantineCase, paths: readonly string[]): void {
    try {
      for (const path of paths) this.#move(path, join(folder, basename(path)));
      syncFolder(folder, this.#files);
    } catch (error) {
      throw this.#failure(error);
    }
  }

  /**
   * Moves a database with its journal, log and wal-index. No connection of this process may have it
   * open. The database goes first: a companion that is left behind then has no database to spoil.
   *
   * @throws ReplicationError `disk_full`, `state_failed`; what is missing can be fetched by
   * `finishMoves`.
   */
  moveDatabase(quarantineCase: QuarantineCase, path: string): void {
    try {
      const pending = COMPANIONS.flatMap((suffix) => this.#pendingMove(path + suffix));
      this.#writeWhy(quarantineCase, pending);
      this.#finish(quarantineCase, pending);
    } catch (error) {
      throw this.#failure(error);
    }
  }

  /**
   * Keeps bytes that are in no file yet, such as a foreign write as an LTX file, durably.
   *
   * @throws ReplicationError `disk_full`, `state_failed`.
   */
  writeBytes({ folder }: QuarantineCase, fileName: string, bytes: Uint8Array): void {
    const path = join(folder, fileName);
    assert(fileName === basename(fileName) && fileName !== WHY_FILE, 'a file has a plain name');
    assert(!this.#files.existsSync(path), 'nothing in quarantine is written over');
    replaceFile(path, bytes, this.#files);
  }

  /**
   * Completes what a crash cut off. For the start, before a database is opened or made.
   *
   * @throws ReplicationError `disk_full`, `state_failed`, `state_damaged`.
   */
  finishMoves(): void {
    for (const { quarantineCase, pending } of this.#read()) {
      if (pending.length === 0) continue;
      try {
        this.#finish(quarantineCase, pending);
      } catch (error) {
        throw this.#failure(error);
      }
    }
  }

  /**
   * All cases, the oldest first. Folders without a `why.json` are not ours and not listed.
   *
   * @throws ReplicationError `state_failed`, `state_damaged`.
   */
  list(): QuarantineCase[] {
    return this.#read().map(({ quarantineCase }) => quarantineCase);
  }

  #makeFolder(name: string): string {
    for (let number = 1; number <= SAME_NAMES_MAX; number += 1) {
      const folder = join(this.folder, number === 1 ? name : `${name}.${number}`);
      try {
        this.#files.mkdirSync(folder);
        return folder;
      } catch (error) {
        if (errnoOf(error) !== 'EEXIST') throw error;
      }
    }
    throw new ReplicationError('state_failed', `${name} was set aside ${SAME_NAMES_MAX} times`, {
      hint: `Look into ${this.folder} for why the same files come back, then empty it.`,
    });
  }

  #pendingMove(from: string): PendingMove[] {
    const inode = this.#inodeOf(from);
    return inode === undefined ? [] : [{ from, inode }];
  }

  #finish(quarantineCase: QuarantineCase, pending: readonly PendingMove[]): void {
    const { folder } = quarantineCase;
    for (const { from, inode } of pending) {
      if (this.#inodeOf(from) !== inode) continue;
      const to = join(folder, basename(from));
      // Copied, then stopped: a folder of its own holds nothing else of that name.
      if (this.#files.existsSync(to)) this.#files.unlinkSync(from);
      else this.#move(from, to);
    }
    syncFolder(folder, this.#files);
    this.#writeWhy(quarantineCase, []);
  }

  #inodeOf(path: string): number | undefined {
    return this.#files.statSync(path, { throwIfNoEntry: false })?.ino;
  }

  /** A rename, or a copy where the state lies on another disk than the database. */
  #move(from: string, to: string): void {
    assert(!this.#files.existsSync(to), 'nothing in quarantine is written over');
    try {
      this.#files.renameSync(from, to);
    } catch (error) {
      if (errnoOf(error) !== 'EXDEV') throw error;
      this.#copy(from, to);
      this.#files.unlinkSync(from);
    }
  }

  #copy(from: string, to: string): void {
    const temporary = to + TEMPORARY_SUFFIX;
    try {
      this.#files.copyFileSync(from, temporary);
      const descriptor = this.#files.openSync(temporary, 'r+');
      try {
        this.#files.fsyncSync(descriptor);
      } finally {
        this.#files.closeSync(descriptor);
      }
      this.#files.renameSync(temporary, to);
    } catch (error) {
      removeQuietly(temporary, this.#files);
      throw error;
    }
  }

  #writeWhy({ folder, ...reason }: QuarantineCase, pending: readonly PendingMove[]): void {
    this.#whyFile(folder).replace({ ...reason, pending });
  }

  #whyFile(folder: string): SmallFile<WhyFile> {
    const path = join(folder, WHY_FILE);
    return new SmallFile({ path, parse: parseWhy, hint: DAMAGED_HINT, files: this.#files });
  }

  #read(): { readonly quarantineCase: QuarantineCase; readonly pending: readonly PendingMove[] }[] {
    return this.#folderNames()
      .flatMap((name) => {
        const folder = join(this.folder, name);
        const why = this.#whyFile(folder).read();
        if (why === undefined) return [];
        const { pending, ...reason } = why;
        return [{ quarantineCase: { ...reason, folder }, pending }];
      })
      .sort((a, b) => a.quarantineCase.atMs - b.quarantineCase.atMs);
  }

  #folderNames(): string[] {
    try {
      const entries = this.#files.readdirSync(this.folder, { withFileTypes: true });
      return entries.filter((entry) => entry.isDirectory()).map(({ name }) => name);
    } catch (error) {
      if (errnoOf(error) === 'ENOENT') return [];
      throw this.#failure(error);
    }
  }

  #failure(error: unknown): unknown {
    return fileFailure(error, 'Files cannot be set aside', this.folder);
  }
}

function folderName({ atMs, database, epoch, minTxid, maxTxid }: QuarantineReason): string {
  const date = new Date(atMs).toISOString().replace(/\.\d+/, '').replaceAll(/[-:]/g, '');
  const name = encodeURIComponent(database).slice(0, NAME_CHARACTERS_MAX);
  const numbers = [epoch, minTxid, maxTxid].map((number) => number.toString(16).padStart(16, '0'));
  return [date, name, ...numbers].join('-');
}

function parseWhy(value: unknown): WhyFile {
  const fields = new Map(Object.entries(value ?? {}));
  const text = (name: string): string => {
    const field: unknown = fields.get(name);
    if (typeof field !== 'string') throw new TypeError(`${name} is no text`);
    return field;
  };
  const whole = (name: string): number => {
    const field: unknown = fields.get(name);
    if (!Number.isSafeInteger(field)) throw new TypeError(`${name} is no whole number`);
    return Number(field);
  };
  const pending: unknown = fields.get('pending');
  if (!Array.isArray(pending)) throw new TypeError('pending is no list');
  return {
    atMs: whole('atMs'),
    database: text('database'),
    epoch: whole('epoch'),
    minTxid: whole('minTxid'),
    maxTxid: whole('maxTxid'),
    reason: text('reason'),
    pending: pending.map(parsePending),
  };
}

function parsePending(value: unknown): PendingMove {
  const { from, inode } = Object(value) as { from?: unknown; inode?: unknown };
  if (typeof from !== 'string' || typeof inode !== 'number') throw new TypeError('a move is odd');
  return { from, inode };
}
