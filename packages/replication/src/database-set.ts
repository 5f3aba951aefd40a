import { existsSync, mkdirSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { pathToFileURL } from 'node:url';
import { AssertionError, type Clock } from '@tandem/base';
import { placeDatabaseFile } from './database-import.ts';
import {
  findDatabases,
  foldersWithTimes,
  haveChanged,
  inodeOf,
  type DatabaseFilter,
  type FoundDatabase,
} from './database-files.ts';
import { NodeCounters } from './node-counters.ts';
import type { Quarantine, QuarantineKind } from './quarantine.ts';
import { ReplicatedDatabase, type ReplicatedDatabaseOptions } from './replicated-database.ts';
import { ReplicationError } from './replication-error.ts';
import { describeSqliteError, isBusy } from './sqlite-failure.ts';
import { takeInBursts } from './write-lock.ts';

export interface DatabaseSetOptions extends Omit<
  ReplicatedDatabaseOptions,
  | 'name'
  | 'path'
  | 'stateFolder'
  | 'quarantine'
  | 'clock'
  | 'counters'
  | 'onCaptured'
  | 'onFirstPage'
> {
  /** Where the databases are. */
  readonly folder: string;
  /** Where this node keeps what belongs to them. */
  readonly stateFolder: string;
  readonly quarantine: Quarantine;
  readonly clock: Clock;
  readonly isMeant: DatabaseFilter;
  /** What to do with a database that is not in WAL mode. */
  readonly journalMode: 'switch' | 'refuse';
  /** As in `LogConsumer`; until then no database of that name is opened. */
  readonly leave?: (database: ReplicatedDatabase) => Promise<void> | undefined;
  /** Told of what failed when nobody waits for it. */
  readonly complain?: (what: string, error: unknown) => void;
}

/** A database that could not be opened is tried again after twice as many looks each time. */
const SKIPPED_LOOKS_MAX = 32;

/** A program that writes without pause lets go of its lock in less. */
const PROBE_MS = 50;

/** File systems stamp changes with a clock that ticks every few milliseconds. */
const CLOCK_TICK_MS = 20;

/** What a look at the folder found. */
export interface FolderChange {
  readonly opened: readonly ReplicatedDatabase[];
  /** Databases whose files are gone; they are closed. */
  readonly dropped: readonly ReplicatedDatabase[];
  /** Databases that cannot be replicated for now, with the reason. */
  readonly refused: readonly { readonly name: string; readonly error: Error }[];
}

/** The databases of a node: those in its folder, and those that a primary has told it of. */
export class DatabaseSet {
  readonly counters = new NodeCounters();
  readonly #options: DatabaseSetOptions;
  /** The folders as they were at the last look, and when that was. */
  #folders: ReadonlyMap<string, number> = new Map();
  #lookedMs = 0;
  #isClosed = false;
  readonly #members = new Map<string, ReplicatedDatabase>();
  /** Dropped, and still read by somebody. */
  readonly #leaving = new Map<string, ReplicatedDatabase>();
  /** How many looks pass over the databases that could not be opened, and how many are left. */
  readonly #refusals = new Map<string, { looks: number; looksLeft: number }>();

  constructor(options: DatabaseSetOptions) {
    this.#options = options;
    mkdirSync(options.folder, { recursive: true });
    options.quarantine.finishMoves();
  }

  /** In the order in which they were opened. */
  [Symbol.iterator](): MapIterator<ReplicatedDatabase> {
    return this.#members.values();
  }

  get(name: string): ReplicatedDatabase | undefined {
    return this.#members.get(name);
  }

  /** The database of that name, made empty when there is none. */
  open(name: string): ReplicatedDatabase {
    const existing = this.get(name);
    if (existing !== undefined) return existing;
    const leaving = this.#leaving.get(name);
    if (leaving !== undefined) this.#forget(leaving);
    const path = this.#pathOf(name);
    mkdirSync(dirname(path), { recursive: true });
    return this.#add(name);
  }

  /** Puts a file in the folder as the database of that name; the next look finds it. */
  place(name: string, from: string): void {
    const path = this.#pathOf(name);
    mkdirSync(dirname(path), { recursive: true });
    placeDatabaseFile(from, path);
    this.#refusals.delete(name);
  }

  /** Whether a look would find anything new. Costs little: it asks for the times of the folders. */
  get isStale(): boolean {
    if (this.#isClosed) return false;
    // A change in the same instant of the file system's clock as the last look would not show.
    const youngestMs = Math.max(...this.#folders.values());
    return youngestMs > this.#lookedMs - CLOCK_TICK_MS || haveChanged(this.#folders);
  }

  /** Looks for databases that were made, renamed or dropped by applications. */
  look(): FolderChange {
    // Whoever opened and fenced them again would keep them locked from the node that comes next.
    if (this.#isClosed) return { opened: [], dropped: [], refused: [] };
    this.#lookedMs = this.#options.clock.nowMs();
    this.#folders = foldersWithTimes(this.#options.folder);
    const dropped = [...this].filter(
      ({ inode, path }) => inode !== undefined && inodeOf(path) !== inode,
    );
    for (const database of dropped) this.#leave(database);
    const own = [...this, ...this.#leaving.values()];
    const known = new Map(own.map(({ inode, name }) => [inode ?? 0, name]));
    const opened: ReplicatedDatabase[] = [];
    const refused: { name: string; error: Error }[] = [];
    const { folder, isMeant, isSharedInProcess } = this.#options;
    for (const found of findDatabases(folder, { known, isMeant, isSharedInProcess })) {
      const { name, inode } = found;
      if (this.#members.has(name)) continue;
      const awaited = this.#awaited(found);
      if (awaited !== undefined) refused.push({ name, error: awaited });
      if (awaited !== undefined || this.#isSkipped(name)) continue;
      try {
        mustBeSingle(found, known);
        this.#mustBeWal(name);
        opened.push(this.#add(name));
        known.set(inode, name);
        this.#refusals.delete(name);
      } catch (error) {
        refused.push({ name, error: error instanceof Error ? error : new Error(String(error)) });
        this.#refuse(name);
      }
    }
    return { opened, dropped, refused };
  }

  /** Sets a database aside that is not this node's to keep. */
  setAside(name: string, kind: QuarantineKind, reason: string): void {
    const database = this.#members.get(name);
    if (database === undefined) return;
    this.#members.delete(name);
    if (database.isPresent) database.setAside(kind, reason);
    else database.close();
  }

  setAllAside(kind: QuarantineKind, reason: string): void {
    for (const name of this.#members.keys()) this.setAside(name, kind, reason);
  }

  /** Nothing is opened any more. */
  close(): void {
    this.#isClosed = true;
    for (const database of this.#leaving.values()) this.#forget(database);
    for (const database of this) database.close();
    this.#members.clear();
  }

  /** Opening one that another program holds for itself stops this thread for the time-out. */
  #refuse(name: string): void {
    if (!this.#refusals.has(name)) this.counters.add('databasesRefused');
    const before = this.#refusals.get(name)?.looks ?? 0;
    const looks = Math.min(SKIPPED_LOOKS_MAX, before * 2 + 1);
    this.#refusals.set(name, { looks, looksLeft: looks });
  }

  #isSkipped(name: string): boolean {
    const refusal = this.#refusals.get(name);
    if (refusal === undefined || refusal.looksLeft === 0) return false;
    refusal.looksLeft -= 1;
    return true;
  }

  /** A file that is gone. What was committed to it can be read until it is closed. */
  #leave(database: ReplicatedDatabase): void {
    const { name } = database;
    this.#members.delete(name);
    captureLast(database);
    const done = this.#options.leave?.(database);
    this.#leaving.set(name, database);
    if (done === undefined) {
      this.#forget(database);
      return;
    }
    const forget = (): void => {
      if (this.#leaving.get(name) !== database) return;
      try {
        this.#forget(database);
      } catch (error) {
        if (error instanceof AssertionError) throw error;
        this.#options.complain?.(`cannot close ${name}, which was dropped`, error);
      }
    };
    void done.then(forget, forget);
  }

  /** Why a file cannot be opened before a database that was dropped or renamed is closed. */
  #awaited({ name, inode }: FoundDatabase): ReplicationError | undefined {
    for (const leaving of this.#leaving.values()) {
      if (leaving.name !== name && leaving.inode !== inode) continue;
      const message = `The backup of the ${leaving.name} that is gone has not ended.`;
      return new ReplicationError('database_locked', message, { retryable: true });
    }
    return undefined;
  }

  /** What was kept beside the file would be wrong for the next of its name. */
  #forget(database: ReplicatedDatabase): void {
    this.#leaving.delete(database.name);
    try {
      database.close();
    } finally {
      rmSync(this.#stateOf(database.name), { recursive: true, force: true });
    }
  }

  #add(name: string): ReplicatedDatabase {
    const path = this.#pathOf(name);
    const stateFolder = this.#stateOf(name);
    const probe = openUnlocked(path);
    try {
      const { counters } = this;
      const place = { name, path, stateFolder, counters };
      const database = new ReplicatedDatabase({ ...this.#options, ...place });
      this.#members.set(name, database);
      this.#setStraysAside(database);
      return database;
    } finally {
      probe?.close();
    }
  }

  /** Files of the log that are no part of it are for people to look at. */
  #setStraysAside({ name, log }: ReplicatedDatabase): void {
    const strays = log?.strays ?? [];
    if (strays.length === 0) return;
    const { quarantine, clock } = this.#options;
    const aside = quarantine.open({
      kind: 'log_files',
      atMs: clock.nowMs(),
      database: name,
      epoch: 0,
      minTxid: Math.min(...strays.map(({ minTxid }) => minTxid)),
      maxTxid: Math.max(...strays.map(({ maxTxid }) => maxTxid)),
      reason: `These files do not lead up to the newest of the log: ${reasonsOf(strays)}.`,
    });
    quarantine.moveFiles(
      aside,
      strays.map(({ path }) => path),
    );
  }

  #pathOf(name: string): string {
    const isPlain = name.split('/').every((part) => part !== '' && !part.startsWith('.'));
    if (isPlain && !name.includes('\0')) return join(this.#options.folder, name);
    throw new ReplicationError('not_a_database', `'${name}' cannot be the name of a database`);
  }

  /** Each database has one folder: slashes in its name cannot make it part of another's. */
  #stateOf(name: string): string {
    return join(this.#options.stateFolder, 'databases', encodeURIComponent(name));
  }

  #mustBeWal(name: string): void {
    const path = this.#pathOf(name);
    if (existsSync(`${path}-wal`)) return;
    const connection = new DatabaseSync(path, { timeout: this.#options.busyTimeoutMs });
    try {
      const read = connection.prepare('PRAGMA journal_mode').get();
      if (read?.journal_mode === 'wal') return;
      const mode = String(read?.journal_mode);
      if (this.#options.journalMode === 'refuse') throw notWal(path, mode);
      const changed = connection.prepare('PRAGMA journal_mode = WAL').get();
      if (changed?.journal_mode !== 'wal') throw notWal(path, mode);
    } finally {
      connection.close();
    }
  }
}

/**
 * Finds out whether a program keeps the database locked. Waiting for that for the whole time-out
 * would stop this thread for longer than a lease lasts; it is looked at again later instead.
 *
 * @returns a connection to be closed when the database is open: the last one to be closed empties
 * SQLite's log
 * @throws ReplicationError `database_locked`
 */
function openUnlocked(path: string): DatabaseSync | undefined {
  if (!existsSync(path)) return undefined;
  const url = pathToFileURL(path);
  // A database that has just been deleted is not to come back as an empty file.
  url.searchParams.set('mode', 'rw');
  const connection = new DatabaseSync(url, { timeout: 0 });
  try {
    takeInBursts(connection, PROBE_MS);
    connection.exec('ROLLBACK');
    return connection;
  } catch (error) {
    connection.close();
    if (!isBusy(error)) return undefined;
    throw describeSqliteError(path, error);
  }
}

/** What was committed before the file was deleted is in a log that is still open. */
function captureLast(database: ReplicatedDatabase): void {
  try {
    database.capture();
  } catch (error) {
    // A view cannot be opened any more, where one is needed.
    if (!(error instanceof ReplicationError)) throw error;
  }
}

function reasonsOf(strays: readonly { readonly reason: string }[]): string {
  return [...new Set(strays.map(({ reason }) => reason))].join(', ');
}

function mustBeSingle({ name, inode }: FoundDatabase, known: ReadonlyMap<number, string>): void {
  const other = known.get(inode);
  if (other === undefined) return;
  throw new ReplicationError('not_a_database', `${name} and ${other} are one file`, {
    hint: 'SQLite cannot keep a database with two names. Remove one of the hard links.',
  });
}

function notWal(path: string, mode: string): ReplicationError {
  return new ReplicationError('not_wal', `${path} is in journal mode ${mode}, not WAL`, {
    retryable: true,
    hint: `Run sqlite3 ${path} 'PRAGMA journal_mode=WAL' while nobody uses it, or set databases.journal-mode: switch.`,
  });
}
