import { existsSync, mkdirSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import type { Clock } from '@tandem/base';
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
import type { Quarantine } from './quarantine.ts';
import { ReplicatedDatabase, type ReplicatedDatabaseOptions } from './replicated-database.ts';
import { ReplicationError } from './replication-error.ts';

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
}

/** A database that could not be opened is tried again after twice as many looks each time. */
const SKIPPED_LOOKS_MAX = 32;

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
  readonly #members = new Map<string, ReplicatedDatabase>();
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
    // A change in the same instant of the file system's clock as the last look would not show.
    const youngestMs = Math.max(...this.#folders.values());
    return youngestMs > this.#lookedMs - CLOCK_TICK_MS || haveChanged(this.#folders);
  }

  /** Looks for databases that were made, renamed or dropped by applications. */
  look(): FolderChange {
    this.#lookedMs = this.#options.clock.nowMs();
    this.#folders = foldersWithTimes(this.#options.folder);
    const dropped = [...this].filter(
      ({ inode, path }) => inode !== undefined && inodeOf(path) !== inode,
    );
    for (const database of dropped) this.#forget(database);
    const known = new Map([...this].map(({ inode, name }) => [inode ?? 0, name]));
    const opened: ReplicatedDatabase[] = [];
    const refused: { name: string; error: Error }[] = [];
    const { folder, isMeant, isSharedInProcess } = this.#options;
    for (const found of findDatabases(folder, { known, isMeant, isSharedInProcess })) {
      const { name, inode } = found;
      if (this.#members.has(name) || this.#isSkipped(name)) continue;
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

  /** Sets a database aside that the primary does not have. */
  setAside(name: string, reason: string): void {
    const database = this.#members.get(name);
    if (database === undefined) return;
    this.#members.delete(name);
    if (database.isPresent) database.setAside(reason);
    else database.close();
  }

  close(): void {
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

  /** A file that is gone: what was kept beside it would be wrong for the next of that name. */
  #forget(database: ReplicatedDatabase): void {
    database.close();
    this.#members.delete(database.name);
    rmSync(this.#stateOf(database.name), { recursive: true, force: true });
  }

  #add(name: string): ReplicatedDatabase {
    const path = this.#pathOf(name);
    const stateFolder = this.#stateOf(name);
    const { counters } = this;
    const place = { name, path, stateFolder, counters };
    const database = new ReplicatedDatabase({ ...this.#options, ...place });
    this.#members.set(name, database);
    return database;
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
