import { join } from 'node:path';
import { Archive } from './archive.ts';
import { Connection } from './connection.ts';
import { Counters } from './counters.ts';
import { Drops } from './drops.ts';
import { Goals } from './goals.ts';
import { Keys } from './keys.ts';
import { type OnMigrationStep, migrate } from './migrate.ts';
import { refuseOrphanLog } from './orphan-log.ts';
import { refuseUnfinishedRestore } from './restore-plan.ts';
import { Sealing } from './sealing.ts';
import { Sessions } from './sessions.ts';
import { Settings } from './settings.ts';
import { Sites } from './sites.ts';
import { Tail } from './tail.ts';
import { Users } from './users.ts';

export interface JournalOptions {
  /** An existing folder; the database is the file `journal.db` in it. */
  readonly folder: string;
  /** Neither creates nor migrates nor writes. */
  readonly readOnly?: boolean;
  /** Called after each step of a migration. */
  readonly onMigrationStep?: OnMigrationStep;
}

/**
 * What each connection needs. Temporary files are kept in memory because the root file system, and
 * with it the system's folder for them, may be read-only. The log is cut back to 64 MiB when a
 * large transaction has swollen it.
 */
const CONNECTION_PRAGMAS = `
  PRAGMA synchronous = FULL;
  PRAGMA temp_store = MEMORY;
  PRAGMA cache_size = -16384;
  PRAGMA journal_size_limit = 67108864;
`;

/** Four MiB, and a twentieth of the file. */
const UNUSED_PAGES_MIN = 1024;
const UNUSED_SHARE = 0.05;

/** Loggia's database, the truth. Any number of processes and threads may each open their own. */
export class Journal {
  readonly sites: Sites;
  readonly goals: Goals;
  readonly users: Users;
  readonly sessions: Sessions;
  readonly keys: Keys;
  readonly settings: Settings;
  readonly tail: Tail;
  readonly drops: Drops;
  readonly archive: Archive;
  readonly #connection: Connection;
  readonly #counters: Counters;

  private constructor(connection: Connection) {
    this.#connection = connection;
    this.#counters = new Counters(connection);
    this.sites = new Sites(connection);
    this.goals = new Goals(connection);
    this.users = new Users(connection);
    this.sessions = new Sessions(connection);
    this.keys = new Keys(connection);
    this.settings = new Settings(connection);
    this.tail = new Tail(connection);
    this.drops = new Drops(connection);
    this.archive = new Archive(connection);
  }

  /**
   * Opens the journal of a data folder, creating and migrating it unless `readOnly`.
   *
   * @throws JournalError `journal_newer`, `journal_older`, `journal_unreadable`, `journal_failed`,
   *   `journal_full`, `journal_busy` or `journal_restoring`; the file is left as it was.
   */
  static open(options: JournalOptions): Journal {
    const readOnly = options.readOnly ?? false;
    const path = join(options.folder, 'journal.db');
    refuseUnfinishedRestore(options.folder);
    refuseOrphanLog(path);
    const connection = new Connection({ path, readOnly });
    try {
      connection.execute(CONNECTION_PRAGMAS);
      migrate(connection, options.onMigrationStep ?? (() => undefined));
      // One that began meanwhile may have looked before this connection had its lock (V3).
      refuseUnfinishedRestore(options.folder);
      return new Journal(connection);
    } catch (error) {
      connection.close();
      throw error;
    }
  }

  /**
   * Runs `run` between BEGIN IMMEDIATE and COMMIT. Invariant J2: when this returns, all that `run`
   * wrote is on the disk; when it throws, nothing of it is kept. Transactions do not nest.
   *
   * @throws JournalError, or whatever `run` throws.
   */
  transaction<Result>(run: () => Result): Result {
    return this.#connection.transaction(run);
  }

  /** Runs reads that all see one state, whatever other connections commit meanwhile. */
  snapshot<Result>(run: () => Result): Result {
    return this.#connection.snapshot(run);
  }

  /** For the one who seals: there may be one at a time for each connection. */
  openSealing(): Sealing {
    return new Sealing(this.#connection);
  }

  /** When the site's first visit began, sealed ones included; undefined when it had none. */
  firstEventMs(siteId: number): number | undefined {
    const times = [this.archive.firstMs(siteId), this.tail.firstEventMs(siteId)];
    const known = times.filter((time) => time !== undefined);
    return known.length === 0 ? undefined : Math.min(...known);
  }

  /** Rises whenever any process changes a site, goal, user, key or setting. Cheap to read. */
  configurationVersion(): number {
    return this.#counters.read('configuration');
  }

  /**
   * Gives up to `pagesMax` unused pages back to the file system and returns how many it gave. Some
   * are kept for what comes next: taking pages anew costs more than using old ones.
   */
  giveBackPages(pagesMax: number): number {
    const unused = this.#connection.readInteger('freelist_count');
    const kept = UNUSED_PAGES_MIN + this.#connection.readInteger('page_count') * UNUSED_SHARE;
    const count = Math.min(pagesMax, Math.floor(unused - kept));
    if (count <= 0) return 0;
    this.#connection.execute(`PRAGMA incremental_vacuum(${count})`);
    return count;
  }

  /** Writes the whole log back into the database and empties it, as far as readers allow. */
  checkpoint(): void {
    this.#connection.execute('PRAGMA wal_checkpoint(TRUNCATE)');
  }

  /** Closing twice is allowed. */
  close(): void {
    this.#connection.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }
}
