import { closeSync, existsSync, fstatSync, openSync, readSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import {
  DATABASE_HEADER_BYTES,
  parseDatabaseHeader,
  parseWalIndexHeader,
  WAL_INDEX_HEADER_BYTES,
  type WalIndexHeader,
} from '@tandem/sqlite-format';
import { ReplicationError } from './replication-error.ts';

export interface OpenDatabaseOptions {
  /** How long a connection waits for another's lock. */
  readonly busyTimeoutMs: number;
  /**
   * Whether other code of this process opens the same file through SQLite. Descriptors are then
   * kept until the process ends (R1).
   */
  readonly isSharedInProcess?: boolean;
}

/** Reading again as often as this covers a writer that is between the two copies of the header. */
const HEADER_READS_MAX = 1000;

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
  readonly databaseFd: number;
  readonly walFd: number;
  readonly walIndexFd: number;
  readonly #options: OpenDatabaseOptions;
  readonly #connections = new Set<DatabaseSync>();
  readonly #header = new Uint8Array(WAL_INDEX_HEADER_BYTES);
  #isClosed = false;

  private constructor(path: string, anchor: DatabaseSync, options: OpenDatabaseOptions) {
    this.path = path;
    this.#options = options;
    this.#connections.add(anchor);
    this.databaseFd = openSync(path, 'r+');
    this.walFd = openSync(`${path}-wal`, 'r+');
    this.walIndexFd = openSync(`${path}-shm`, 'r+');
  }

  /**
   * Opens an existing database, running SQLite's recovery where a process died.
   *
   * @throws ReplicationError `not_a_database`, `not_wal`, `database_locked`.
   */
  static open(path: string, options: OpenDatabaseOptions): OpenDatabase {
    if (!existsSync(path)) {
      throw new ReplicationError('not_a_database', `there is no database at ${path}`);
    }
    const anchor = connect(path, options.busyTimeoutMs);
    try {
      // The first read makes SQLite create or recover the log and the wal-index.
      const mode = guarded(path, () => anchor.prepare('PRAGMA journal_mode').get());
      if (mode?.journal_mode !== 'wal') {
        throw new ReplicationError('not_wal', `${path} is not in WAL mode`, {
          hint: 'Run PRAGMA journal_mode=WAL once on this database, or let Tandem do it with journal-mode: switch.',
        });
      }
      guarded(path, () => anchor.prepare('SELECT count(*) FROM sqlite_schema').get());
      return new OpenDatabase(path, anchor, options);
    } catch (error) {
      anchor.close();
      throw error;
    }
  }

  /** How long to wait for locks of others. */
  get busyTimeoutMs(): number {
    return this.#options.busyTimeoutMs;
  }

  /** A connection of its own. It never checkpoints by itself; close it with `disconnect`. */
  connect(): DatabaseSync {
    const connection = connect(this.path, this.#options.busyTimeoutMs);
    this.#connections.add(connection);
    return connection;
  }

  /** Closes a connection made by `connect`. The descriptors stay (R1). */
  disconnect(connection: DatabaseSync): void {
    if (this.#connections.delete(connection)) connection.close();
  }

  /**
   * The wal-index header: what is committed.
   *
   * @throws ReplicationError `wal_index_unreadable` when its two copies do not come to agree.
   */
  readWalIndexHeader(): WalIndexHeader {
    const header = this.tryReadWalIndexHeader();
    if (header !== undefined) return header;
    throw new ReplicationError(
      'wal_index_unreadable',
      `${this.path}-shm holds no valid header`,
      {
        hint: 'Stop every program that uses the database, delete the -shm file, and start again.',
        retryable: true,
      },
    );
  }

  /** The same, or undefined while a writer is between the two copies and does not get on. */
  tryReadWalIndexHeader(): WalIndexHeader | undefined {
    for (let read = 0; read < HEADER_READS_MAX; read += 1) {
      const bytes = readSync(this.walIndexFd, this.#header, 0, WAL_INDEX_HEADER_BYTES, 0);
      const header =
        bytes === WAL_INDEX_HEADER_BYTES ? parseWalIndexHeader(this.#header) : undefined;
      if (header !== undefined) return header;
    }
    return undefined;
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

  /** Bytes of a page, from the database's own header. */
  get pageSize(): number {
    const bytes = new Uint8Array(DATABASE_HEADER_BYTES);
    readSync(this.databaseFd, bytes, 0, bytes.length, 0);
    const header = parseDatabaseHeader(bytes);
    if (header !== undefined) return header.pageSize;
    throw new ReplicationError('not_a_database', `${this.path} is not a SQLite database`);
  }

  /** Closes the connections, then the descriptors. Repeatable. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    for (const connection of this.#connections) connection.close();
    this.#connections.clear();
    if (this.#options.isSharedInProcess === true) return;
    for (const descriptor of [this.walIndexFd, this.walFd, this.databaseFd]) closeSync(descriptor);
  }
}

function connect(path: string, busyTimeoutMs: number): DatabaseSync {
  const connection = new DatabaseSync(path, { timeout: busyTimeoutMs });
  connection.exec('PRAGMA wal_autocheckpoint = 0');
  return connection;
}

function guarded<Result>(path: string, read: () => Result): Result {
  try {
    return read();
  } catch (error) {
    throw describeSqliteError(path, error);
  }
}

/** An error of SQLite as one of ours: locked, full, or not a database. */
export function describeSqliteError(path: string, error: unknown): unknown {
  if (!(error instanceof Error) || !('errcode' in error)) return error;
  // Extended codes carry the primary code in their low byte.
  const code = Number(error.errcode) & 0xff;
  if (code === 5 || code === 6) {
    return new ReplicationError('database_locked', `${path} is locked: ${error.message}`, {
      cause: error,
      retryable: true,
      hint: 'Another program holds the database for longer than the time-out. End its transaction.',
    });
  }
  if (code === 13) {
    return new ReplicationError('disk_full', `no room left for ${path}`, {
      cause: error,
      hint: 'Free space on the disk that holds the database.',
    });
  }
  if (code === 26 || code === 11) {
    return new ReplicationError('not_a_database', `${path}: ${error.message}`, { cause: error });
  }
  return error;
}
