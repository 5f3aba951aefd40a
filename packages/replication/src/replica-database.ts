import { decodeLtx, type DecodedLtx } from '@tandem/ltx';
import { ConsistentView } from './consistent-view.ts';
import type { DatabaseState } from './database-state.ts';
import type { EpochHistory } from './epoch-history.ts';
import type { OpenDatabase } from './open-database.ts';
import { ReplicationError } from './replication-error.ts';
import { type CheckpointOutcome, WalAppender } from './wal-appender.ts';
import type { WalCursor } from './wal-cursor.ts';
import type { WriteLock } from './write-lock.ts';

export interface ReplicaOptions {
  /** From this many frames on, the log is copied into the database and emptied. */
  readonly checkpointFrames: number;
  /** Whether SQLite's log is synced with each transaction; the log of transactions is anyway. */
  readonly isLogSynced: boolean;
}

/** The state that a repair leads to. */
export interface RepairTarget {
  readonly txid: number;
  readonly history: EpochHistory;
  readonly pageCount: number;
  /** The digest of the whole database. */
  readonly digest: string;
}

/** A database that this node follows: nobody writes it but we, and anyone may read it. */
export class ReplicaDatabase {
  readonly #open: OpenDatabase;
  readonly #state: DatabaseState;
  readonly #options: ReplicaOptions;
  readonly #appender: WalAppender;
  /** Pages of the repair under way, in the order of their frames. */
  #repaired: number[] = [];

  /** Keeps SQLite's write lock for as long as the database is followed. */
  constructor(open: OpenDatabase, state: DatabaseState, lock: WriteLock, options: ReplicaOptions) {
    this.#open = open;
    this.#state = state;
    this.#options = options;
    this.#appender = new WalAppender(open, state.table.pageSize, lock);
  }

  /** The place in SQLite's log at which the state ends. */
  get cursor(): WalCursor {
    return this.#appender.cursor;
  }

  /**
   * Logs and applies the next transactions.
   *
   * @throws ReplicationError `diverged` when they do not follow from this state; it is unchanged.
   */
  apply(bytes: Uint8Array): void {
    const file = decodeLtx(bytes);
    this.#mustFollow(file);
    this.#state.appendFile(bytes, file.header, file.pages);
    this.#write(file);
    if (this.#state.checksum !== file.trailer.postApplyChecksum) {
      throw diverged(this.#open.path, 'the pages do not add up to the checksum of the primary');
    }
  }

  /** Copies SQLite's log into the database when it has grown enough. */
  checkpointIfDue(): CheckpointOutcome | undefined {
    if (this.#appender.frames < this.#options.checkpointFrames) return undefined;
    const outcome = this.#appender.checkpoint();
    if (outcome === 'emptied') this.#state.markSynced();
    if (outcome !== 'foreign-write') this.#state.recordApplied('replica', this.cursor);
    return outcome;
  }

  /** All pages at the position. */
  view(): ConsistentView {
    const { pageSize, pageCount } = this.#state.table;
    return ConsistentView.open(this.#open, { pageSize, pageCount });
  }

  /** Adds a page to the repair, which nobody sees before `commitRepair`. `data` is copied. */
  repairPage(pgno: number, data: Uint8Array): void {
    if (this.#repaired.length === 0) this.#state.markRepairing();
    this.#appender.write(pgno, data);
    this.#state.table.setPage(pgno, data);
    this.#repaired.push(pgno);
  }

  /**
   * Makes the repaired pages visible, all at once.
   *
   * @throws ReplicationError `diverged` when the result would not be the primary's database, which
   * then is as it was before the repair.
   */
  commitRepair(target: RepairTarget): void {
    const { table } = this.#state;
    this.#state.markRepairing();
    table.truncate(target.pageCount);
    if (table.digest !== target.digest) {
      this.abortRepair();
      throw diverged(this.#open.path, 'the repaired pages do not add up to the digest of the primary');
    }
    this.#appender.commit(target.pageCount, true);
    this.#repaired = [];
    this.#state.adopt(target.txid, target.history);
    this.#state.recordApplied('replica', this.cursor);
  }

  /** Forgets the repair under way. */
  abortRepair(): void {
    this.#appender.abort();
    const { table } = this.#state;
    const view = ConsistentView.open(this.#open, table);
    const page = new Uint8Array(table.pageSize);
    for (const pgno of this.#repaired) {
      view.readPage(pgno, page);
      table.setPage(pgno, page);
    }
    view.close();
    this.#repaired = [];
  }

  /** Ends and hands the write lock over, still held. */
  close(): WriteLock {
    return this.#appender.close();
  }

  #write(file: DecodedLtx): void {
    for (const { pgno, data } of file.pages) this.#appender.write(pgno, data);
    this.#appender.commit(file.header.commit, this.#options.isLogSynced);
    this.#state.recordApplied('replica', this.cursor);
  }

  #mustFollow({ header }: DecodedLtx): void {
    const { log, table, checksum } = this.#state;
    if (header.pageSize !== table.pageSize) {
      throw diverged(this.#open.path, `the primary's pages have ${header.pageSize} bytes`);
    }
    if (header.minTxid !== log.lastTxid + 1) {
      const { minTxid } = header;
      throw diverged(this.#open.path, `transaction ${minTxid} does not follow ${log.lastTxid}`);
    }
    if (header.preApplyChecksum !== checksum) {
      throw diverged(this.#open.path, 'the primary made them on another state');
    }
  }
}

function diverged(path: string, why: string): ReplicationError {
  return new ReplicationError('diverged', `${path} differs from the primary: ${why}`, {
    retryable: true,
    hint: 'Nothing is to be done: the pages that differ are fetched anew.',
  });
}
