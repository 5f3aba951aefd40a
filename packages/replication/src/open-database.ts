import { closeSync, existsSync, fstatSync, openSync, readSync, statSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { pathToFileURL } from 'node:url';
import {
  DATABASE_HEADER_BYTES,
  parseDatabaseHeader,
  parseWalIndexHeader,
  WAL_INDEX_HEADER_BYTES,
  type WalIndexHeader,
} from '@tandem/sqlite-format';
import { fileFailure, ReplicationError } from './replication-error.ts';
import { describeSqliteError } from './sqlite-failure.ts';

export interface OpenDatabaseOptions {
  /** How long a connection waits for another's lock. */
  readonly busyTimeoutMs: number;
  /**
   * Whether other code of this process opens the same file through SQLite. Descriptors are then
   * kept until the process ends (R1).
   */
  readonly isSharedInProcess?: boolean;
}

interface OpenParts {
  readonly connections: readonly [anchor: DatabaseSync, keeper: DatabaseSync];
  readonly descriptors: readonly [database: number, wal: number, walIndex: number];
}

/** Reading again as often as this covers a writer that is between the two copies of the header. */
const HEADER_READS_MAX = 200;
/** Begins a read transaction, or makes one begun take its snapshot, without looking at any table. */
const READ = 'PRAGMA schema_version';

/**
 * A database file in WAL mode with everything this process holds open of it: SQLite connections,
 * and raw descriptors of the file, its log and its wal-index.
 *
 * R1. POSIX drops all locks that a process holds on a file when it closes any descriptor of it,
 * SQLite's included. This class alone opens and closes raw descriptors, and closes them only after
 * the last of its connections, or never when the file is shared in the process.
 */
export class OpenDatabase {
  readonly path: string;
  readonly busyTimeoutMs: number;
  /** Bytes of a page. They cannot change while the database is in WAL mode. */
  readonly pageSize: number;
  readonly databaseFd: number;
  readonly walFd: number;
  readonly walIndexFd: number;
  readonly #isSharedInProcess: boolean;
  /** Keeps log and wal-index in existence, and recovers them. */
  readonly #anchor: DatabaseSync;
  /**
   * Of all connections the last to be closed when the file has gone from its path. SQLite's last
   * connection deletes the log by its name, which may be that of another database by then; one
   * that cannot write does not.
   */
  readonly #keeper: DatabaseSync;
  readonly #connections = new Set<DatabaseSync>();
  readonly #header = new Uint8Array(WAL_INDEX_HEADER_BYTES);
  #isClosed = false;

  private constructor(path: string, parts: OpenParts, options: OpenDatabaseOptions) {
    this.path = path;
    this.busyTimeoutMs = options.busyTimeoutMs;
    this.#isSharedInProcess = options.isSharedInProcess ?? false;
    [this.#anchor, this.#keeper] = parts.connections;
    [this.databaseFd, this.walFd, this.walIndexFd] = parts.descriptors;
    this.pageSize = readPageSize(path, this.databaseFd);
  }

  /**
   * Opens an existing database, running SQLite's recovery where a process died.
   *
   * @throws ReplicationError `not_a_database`, `not_wal`, `database_locked`, `state_failed`.
   */
  static open(path: string, options: OpenDatabaseOptions): OpenDatabase {
    if (!existsSync(path)) {
      throw new ReplicationError('not_a_database', `there is no database at ${path}`);
    }
    const connections: DatabaseSync[] = [];
    const descriptors: number[] = [];
    try {
      const anchor = connect(path, options.busyTimeoutMs);
      connections.push(anchor);
      mustBeWal(path, anchor);
      const keeper = new DatabaseSync(pathToFileURL(path), { readOnly: true });
      connections.push(keeper);
      for (const connection of connections) connection.exec(READ);
      const open = (suffix: string): number => {
        const descriptor = openSync(path + suffix, 'r+');
        descriptors.push(descriptor);
        return descriptor;
      };
      const parts: OpenParts = {
        connections: [anchor, keeper],
        descriptors: [open(''), open('-wal'), open('-shm')],
      };
      return new OpenDatabase(path, parts, options);
    } catch (error) {
      for (const connection of connections.toReversed()) connection.close();
      if (options.isSharedInProcess !== true) for (const each of descriptors) closeSync(each);
      throw describeSqliteError(path, fileFailure(error, `${path} cannot be opened`, path));
    }
  }

  /**
   * A connection of its own. It never checkpoints by itself; close it with `disconnect`.
   *
   * @throws ReplicationError `not_a_database` when the file was deleted or replaced by another one,
   * whose locks would be of no use.
   */
  connect(busyTimeoutMs = this.busyTimeoutMs): DatabaseSync {
    const connection = this.#isGone() ? undefined : connect(this.path, busyTimeoutMs);
    if (connection !== undefined && !this.#isGone()) {
      this.#connections.add(connection);
      return connection;
    }
    connection?.close();
    throw new ReplicationError('not_a_database', `${this.path} was deleted or replaced`, {
      retryable: true,
    });
  }

  /** Closes a connection made by `connect`. The descriptors stay (R1). */
  disconnect(connection: DatabaseSync): void {
    if (this.#connections.delete(connection)) connection.close();
  }

  /**
   * Begins a read transaction on a connection and takes its snapshot: BEGIN alone takes no lock.
   *
   * @throws ReplicationError `database_locked`; no transaction is open then.
   */
  beginRead(connection: DatabaseSync): void {
    try {
      connection.exec('BEGIN');
      connection.exec(READ);
    } catch (error) {
      if (connection.isTransaction) connection.exec('ROLLBACK');
      throw describeSqliteError(this.path, error);
    }
  }

  /**
   * The wal-index header: what is committed. A writer that died between its two copies leaves none
   * that is valid; SQLite makes it anew for the next reader, which is a connection of ours.
   *
   * @throws ReplicationError `wal_index_unreadable` when the two copies do not come to agree.
   */
  readWalIndexHeader(): WalIndexHeader {
    const header = this.#readHeader();
    if (header !== undefined) return header;
    try {
      this.#anchor.exec(READ);
    } catch (error) {
      throw describeSqliteError(this.path, error);
    }
    const recovered = this.#readHeader();
    if (recovered !== undefined) return recovered;
    throw new ReplicationError('wal_index_unreadable', `${this.path}-shm holds no valid header`, {
      hint: 'Stop every program that uses the database, delete the -shm file, and start again.',
      retryable: true,
    });
  }

  /** Which file this is, whatever stands at its path by now. */
  get inode(): number {
    return fstatSync(this.databaseFd).ino;
  }

  /** Pages of the database, the log included. */
  pageCount(): number {
    const { mxFrame, pageCount } = this.readWalIndexHeader();
    return mxFrame > 0 ? pageCount : Math.floor(fstatSync(this.databaseFd).size / this.pageSize);
  }

  /** Closes the connections, then the descriptors. Repeatable. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    const own = [...this.#connections, this.#anchor];
    const inOrder = this.#isGone() ? [...own, this.#keeper] : [this.#keeper, ...own];
    for (const connection of inOrder) connection.close();
    if (this.#isSharedInProcess) return;
    for (const descriptor of [this.walIndexFd, this.walFd, this.databaseFd]) closeSync(descriptor);
  }

  #isGone(): boolean {
    return statSync(this.path, { throwIfNoEntry: false })?.ino !== this.inode;
  }

  #readHeader(): WalIndexHeader | undefined {
    for (let read = 0; read < HEADER_READS_MAX; read += 1) {
      const bytes = readSync(this.walIndexFd, this.#header, 0, WAL_INDEX_HEADER_BYTES, 0);
      if (bytes < WAL_INDEX_HEADER_BYTES) continue;
      const header = parseWalIndexHeader(this.#header);
      if (header !== undefined) return header;
    }
    return undefined;
  }
}

function connect(path: string, busyTimeoutMs: number): DatabaseSync {
  const url = pathToFileURL(path);
  // A database that has just been deleted is not to come back as an empty file.
  url.searchParams.set('mode', 'rw');
  const connection = new DatabaseSync(url, { timeout: busyTimeoutMs });
  connection.exec('PRAGMA wal_autocheckpoint = 0');
  return connection;
}

/** The first read also makes SQLite create or recover the log and the wal-index. */
function mustBeWal(path: string, connection: DatabaseSync): void {
  const mode = connection.prepare('PRAGMA journal_mode').get();
  if (mode?.['journal_mode'] === 'wal') return;
  throw new ReplicationError('not_wal', `${path} is not in WAL mode`, {
    hint: 'Run PRAGMA journal_mode=WAL once on this database, or let Tandem do it with journal-mode: switch.',
  });
}

function readPageSize(path: string, descriptor: number): number {
  const bytes = new Uint8Array(DATABASE_HEADER_BYTES);
  readSync(descriptor, bytes, 0, bytes.length, 0);
  const header = parseDatabaseHeader(bytes);
  if (header !== undefined) return header.pageSize;
  throw new ReplicationError('not_a_database', `${path} is not a SQLite database`);
}
