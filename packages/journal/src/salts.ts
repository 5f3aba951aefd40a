import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { type LocalDate, assert } from '@tandem/base';
import { bytesOf } from './cell.ts';
import { Connection, type Query } from './connection.ts';
import { JournalError } from './journal-error.ts';
import { emptyQuarantine, inodeOf, setAside } from './quarantine.ts';

/** The salt of one date of one site, and when it must be gone. */
export interface SaltOfDate {
  readonly siteId: number;
  readonly date: LocalDate;
  readonly expiresMs: number;
}

const FILE_NAME = 'salts.db';
const SALT_BYTES = 32;
const QUARANTINE_KEPT_MS = 48 * 3_600_000;

/**
 * Invariant S2: no write-ahead log, and what is deleted is overwritten, so that a destroyed salt is
 * in no file of the database.
 */
const PRAGMAS = `
  PRAGMA journal_mode = DELETE;
  PRAGMA synchronous = FULL;
  PRAGMA secure_delete = ON;
  PRAGMA temp_store = MEMORY;
`;

const SCHEMA = `
  CREATE TABLE IF NOT EXISTS salt (
    site_id INTEGER NOT NULL,
    date TEXT NOT NULL,
    bytes BLOB NOT NULL CHECK (length(bytes) = 32),
    expires_ms INTEGER NOT NULL,
    PRIMARY KEY (site_id, date)
  ) STRICT, WITHOUT ROWID
`;

/**
 * The random keys behind visitors' ids, in a database of their own: a copy of the journal, or of its
 * log, holds none of them.
 */
export class Salts {
  /** Set when an unreadable file was set aside: what happened, in one sentence for the log. */
  readonly notice: string | undefined;
  readonly #folder: string;
  readonly #connection: Connection;
  readonly #insert: Query;
  readonly #find: Query;
  readonly #deleteExpired: Query;
  readonly #deleteOfSite: Query;

  private constructor(folder: string, connection: Connection, notice: string | undefined) {
    this.notice = notice;
    this.#folder = folder;
    this.#connection = connection;
    this.#insert = connection.query(
      'INSERT OR IGNORE INTO salt (site_id, date, bytes, expires_ms) VALUES (?, ?, ?, ?)',
    );
    this.#find = connection.query('SELECT bytes FROM salt WHERE site_id = ? AND date = ?');
    this.#deleteExpired = connection.query('DELETE FROM salt WHERE expires_ms <= ?');
    this.#deleteOfSite = connection.query('DELETE FROM salt WHERE site_id = ?');
  }

  /**
   * Opens `salts.db` of an existing folder, creating it. An unreadable file is set aside under
   * `quarantine/` and replaced (S3): all it costs is that today's visitors count anew.
   *
   * @throws JournalError `journal_failed`, `journal_full` or `journal_busy`.
   */
  static open(options: { readonly folder: string }): Salts {
    const { folder } = options;
    const inode = inodeOf(join(folder, FILE_NAME));
    try {
      return Salts.#openFile(folder, undefined);
    } catch (error) {
      const unreadable = error instanceof JournalError && error.code === 'journal_unreadable';
      if (!unreadable || inode === undefined) throw error;
      const target = setAside(folder, FILE_NAME, inode);
      if (target === undefined) return Salts.#openFile(folder, undefined);
      return Salts.#openFile(
        folder,
        `${FILE_NAME} was unreadable (${error.message}); it is now ${target}, and visitors of ` +
          'today count as new ones.',
      );
    }
  }

  static #openFile(folder: string, notice: string | undefined): Salts {
    const connection = new Connection({ path: join(folder, FILE_NAME), readOnly: false });
    try {
      connection.executePatiently(PRAGMAS);
      connection.transaction(() => {
        connection.execute(SCHEMA);
        refuseUnsound(connection);
      });
      return new Salts(folder, connection, notice);
    } catch (error) {
      connection.close();
      throw error;
    }
  }

  /** The salt, if it has been made and not destroyed. */
  saltOf(siteId: number, date: LocalDate): Uint8Array | undefined {
    const cells = this.#find.get(siteId, date);
    return cells === undefined ? undefined : bytesOf(cells[0]);
  }

  /** The salt, made now if there is none. Invariant S1: whoever asks gets the same 32 bytes. */
  ensure(siteId: number, date: LocalDate, expiresMs: number): Uint8Array {
    const [salt] = this.ensureAll([{ siteId, date, expiresMs }]);
    assert(salt !== undefined, 'one salt was asked for');
    return salt;
  }

  /** As `ensure` for several, in one transaction; the answer has their order. */
  ensureAll(wanted: readonly SaltOfDate[]): Uint8Array[] {
    return this.#connection.transaction(() =>
      wanted.map(({ siteId, date, expiresMs }) => {
        this.#insert.run(siteId, date, randomBytes(SALT_BYTES), expiresMs);
        return bytesOf(this.#find.get(siteId, date)?.[0]);
      }),
    );
  }

  /**
   * Destroys the salts whose time is over and returns how many; also files that were set aside more
   * than 48 hours ago.
   */
  destroyExpired(nowMs: number): number {
    emptyQuarantine(this.#folder, FILE_NAME, nowMs - QUARANTINE_KEPT_MS);
    return this.#deleteExpired.run(nowMs);
  }

  /** Destroys all salts of a site and returns how many. */
  destroyOf(siteId: number): number {
    return this.#deleteOfSite.run(siteId);
  }

  /** Closing twice is allowed. */
  close(): void {
    this.#connection.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }
}

/** The file is small, so all of it is checked. */
function refuseUnsound(connection: Connection): void {
  const verdict = connection.query('PRAGMA integrity_check(1)').get()?.[0];
  const names = connection.query("SELECT name FROM pragma_table_info('salt') ORDER BY cid").all();
  const isOurs = names.join(' ') === 'site_id date bytes expires_ms';
  if (verdict === 'ok' && isOurs) return;
  const reason = verdict === 'ok' ? 'its table is not the one expected' : String(verdict);
  throw new JournalError('journal_unreadable', reason);
}
