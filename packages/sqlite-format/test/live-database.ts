import { closeSync, fstatSync, mkdtempSync, openSync, readSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { assert } from '@tandem/base';

/** The files of a database in WAL mode, by what SQLite adds to the name. */
type Suffix = '' | '-wal' | '-shm' | '-journal';

/** What `PRAGMA wal_checkpoint` answers. */
export interface CheckpointResult {
  readonly busy: number;
  /** Frames in the WAL. */
  readonly log: number;
  /** Frames that are in the database. */
  readonly checkpointed: number;
}

/**
 * A database in WAL mode that SQLite has open, and its files as they lie on the disk at the moment.
 * Their descriptors stay open to the end: closing one takes away all locks that the process's
 * connections hold on that file.
 */
export class LiveDatabase {
  readonly folder = mkdtempSync(join(tmpdir(), 'tandem-sqlite-format-'));
  readonly path = join(this.folder, 'live.db');
  readonly #connections: DatabaseSync[] = [];
  readonly #descriptors = new Map<Suffix, number>();
  /** The connection that made the database. It checkpoints only when told to. */
  readonly sql: DatabaseSync;

  constructor(pageSize = 4096) {
    this.sql = this.connect();
    this.sql.exec(`PRAGMA page_size = ${pageSize}; PRAGMA journal_mode = WAL`);
  }

  /** Another connection. */
  connect(timeoutMs = 200): DatabaseSync {
    const connection = new DatabaseSync(this.path, { timeout: timeoutMs });
    connection.exec('PRAGMA wal_autocheckpoint = 0; PRAGMA synchronous = OFF');
    this.#connections.push(connection);
    return connection;
  }

  /** The value of a pragma that answers with one integer. */
  integer(pragma: string, connection = this.sql): number {
    const row = connection.prepare(`PRAGMA ${pragma}`).get() ?? {};
    const value = Object.values(row)[0];
    assert(typeof value === 'number', `${pragma} answers with a number`);
    return value;
  }

  checkpoint(mode: 'PASSIVE' | 'FULL' | 'RESTART' | 'TRUNCATE'): CheckpointResult {
    const row = this.sql.prepare(`PRAGMA wal_checkpoint(${mode})`).get() ?? {};
    const [busy, log, checkpointed] = Object.values(row).map(Number);
    return { busy: busy ?? 1, log: log ?? -1, checkpointed: checkpointed ?? -1 };
  }

  size(suffix: Suffix): number {
    return fstatSync(this.#descriptor(suffix)).size;
  }

  /** A copy of a file, or of a part of it. */
  read(suffix: Suffix, start = 0, bytes = this.size(suffix) - start): Uint8Array {
    const into = new Uint8Array(bytes);
    const count = readSync(this.#descriptor(suffix), into, 0, bytes, start);
    return into.subarray(0, count);
  }

  write(suffix: Suffix, bytes: Uint8Array, offset: number): void {
    writeSync(this.#descriptor(suffix), bytes, 0, bytes.length, offset);
  }

  #descriptor(suffix: Suffix): number {
    const known = this.#descriptors.get(suffix);
    if (known !== undefined) return known;
    const descriptor = openSync(this.path + suffix, 'r+');
    this.#descriptors.set(suffix, descriptor);
    return descriptor;
  }

  [Symbol.dispose](): void {
    for (const connection of this.#connections) if (connection.isOpen) connection.close();
    for (const descriptor of this.#descriptors.values()) closeSync(descriptor);
    rmSync(this.folder, { recursive: true, force: true });
  }
}
