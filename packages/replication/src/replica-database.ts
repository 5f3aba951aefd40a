import { LtxDecoder, LtxError, type LtxHeader, type LtxPage, type LtxTrailer } from '@tandem/ltx';
import { ConsistentView } from './consistent-view.ts';
import type { DatabaseState } from './database-state.ts';
import type { EpochHistory } from './epoch-history.ts';
import type { OpenDatabase } from './open-database.ts';
import { pagesOf, withView } from './page-comparison.ts';
import { ReplicationError } from './replication-error.ts';
import { describeSqliteError } from './sqlite-failure.ts';
import { type CheckpointOutcome, WalAppender } from './wal-appender.ts';
import type { WalCursor } from './wal-cursor.ts';
import type { WriteLock } from './write-lock.ts';

export interface ReplicaOptions {
  /** From this many frames on, the log is copied into the database and emptied. */
  readonly checkpointFrames: number;
  /**
   * A checkpoint costs a dozen syncs of the disk: there is no other for so long, unless the log grows
   * fast. A second unless said otherwise.
   */
  readonly checkpointPauseMs?: number;
}

/** The state that a repair leads to. */
export interface RepairedState {
  readonly txid: number;
  readonly history: EpochHistory;
  readonly pageCount: number;
  /** The digest of the whole database. */
  readonly digest: string;
}

/** A file is decoded in pieces of this size, so that its pages are never all in memory. */
const PIECE_BYTES = 1 << 20;
const CHECKPOINT_PAUSE_MS = 1000;
/** A log so many times as long as it is meant to be waits for nothing. */
const URGENT_FACTOR = 10;

/** A database that this node follows: nobody writes it but we, and anyone may read it. */
export class ReplicaDatabase {
  readonly #open: OpenDatabase;
  readonly #state: DatabaseState;
  readonly #options: ReplicaOptions;
  readonly #appender: WalAppender;
  #checkpointAtFrames: number;
  #checkpointedMs = -Infinity;
  /** Whether another program has written, and that is yet to be set aside. */
  #hasForeignWrite = false;
  /** Pages of the table that are ahead of the database: those of the change under way. */
  #staged: number[] = [];
  /** Whether the change that they were of is forgotten, and the table has yet to forget it. */
  #mustUnstage = false;
  /** Pages of the database after a logged change that has yet to be made visible. */
  #owedPageCount: number | undefined;

  /** Keeps SQLite's write lock for as long as the database is followed. */
  constructor(open: OpenDatabase, state: DatabaseState, lock: WriteLock, options: ReplicaOptions) {
    this.#open = open;
    this.#state = state;
    this.#options = options;
    this.#checkpointAtFrames = options.checkpointFrames;
    this.#appender = new WalAppender(open, state.table.pageSize, lock);
  }

  /** The place in SQLite's log at which the state ends. */
  get cursor(): WalCursor {
    return this.#appender.cursor;
  }

  /**
   * Takes SQLite's write lock again if it could not be taken back after a checkpoint, and completes
   * what the disk refused. Comes before everything else.
   *
   * @throws ReplicationError `database_locked`, `disk_full`, `state_failed`, and `foreign_write` when
   * another program has written
   */
  fence(): void {
    if (!this.#appender.refence()) this.#hasForeignWrite = true;
    if (this.#hasForeignWrite) {
      const message = `${this.#open.path}: another program wrote to a replica`;
      throw new ReplicationError('foreign_write', message, { retryable: true });
    }
    if (this.#mustUnstage) this.#unstage();
    if (this.#owedPageCount !== undefined) this.#publish(this.#owedPageCount);
  }

  /** What another program has written was set aside, and the table is that of the database. */
  acceptForeignWrite(): void {
    this.#hasForeignWrite = false;
    this.#state.recordApplied('replica', this.cursor);
  }

  /**
   * Logs and applies the next transactions. The log holds them before anybody sees them (R6), and
   * what may fail for want of room comes before that, so that there is nothing half applied.
   *
   * @throws ReplicationError `diverged` when they do not follow from this state; LtxError when the
   * file is damaged; `disk_full`, `state_failed`. The database is then as it was.
   */
  apply(bytes: Uint8Array): void {
    let header: LtxHeader;
    try {
      header = this.#stage(bytes);
      this.#appender.prepare();
      this.#state.appendFile(bytes, header);
    } catch (error) {
      this.#unstage();
      throw error;
    }
    this.#staged = [];
    this.#publish(header.commit);
  }

  /**
   * Copies SQLite's log into the database when it has grown enough. Where readers were in the way, it
   * has to grow by as much again before the next try.
   */
  checkpointIfDue(): CheckpointOutcome | undefined {
    const { frames } = this.#appender;
    if (frames < this.#checkpointAtFrames) return undefined;
    const { checkpointFrames, checkpointPauseMs = CHECKPOINT_PAUSE_MS } = this.#options;
    const nowMs = performance.now();
    const isUrgent = frames >= this.#checkpointAtFrames + URGENT_FACTOR * checkpointFrames;
    if (!isUrgent && nowMs - this.#checkpointedMs < checkpointPauseMs) return undefined;
    this.#checkpointedMs = nowMs;
    const outcome = this.checkpoint();
    this.#checkpointAtFrames = outcome === 'busy' ? frames + checkpointFrames : checkpointFrames;
    return outcome;
  }

  /**
   * Copies SQLite's log into the database and empties it, as far as readers allow.
   *
   * @throws ReplicationError as `fence` does.
   */
  checkpoint(): CheckpointOutcome {
    let outcome: CheckpointOutcome;
    try {
      outcome = this.#appender.checkpoint();
    } catch (error) {
      throw describeSqliteError(this.#open.path, error);
    }
    this.fence();
    if (outcome === 'emptied') this.#state.markSynced();
    const role = this.#state.applied?.role ?? 'replica';
    this.#state.recordApplied(role, this.cursor);
    return outcome;
  }

  /** All pages at the position. */
  view(): ConsistentView {
    const { pageSize, pageCount } = this.#state.table;
    return ConsistentView.open(this.#open, { pageSize, pageCount });
  }

  /**
   * Adds pages in a row to the repair, from `pgno` on, which nobody sees before `commitRepair`. `bytes`
   * are copied.
   */
  repairPages(pgno: number, bytes: Uint8Array): void {
    const { table } = this.#state;
    for (let at = 0; at < bytes.length; at += table.pageSize) {
      const each = pgno + at / table.pageSize;
      this.#staged.push(each);
      this.#appender.write(each, bytes.subarray(at, at + table.pageSize));
    }
    table.setRun(pgno, bytes);
  }

  /**
   * Makes the repaired pages visible, all at once.
   *
   * @throws ReplicationError `diverged` when the result would not be the primary's database, which
   * then is as it was before the repair.
   */
  commitRepair(target: RepairedState): void {
    const { table } = this.#state;
    const pageCount = this.#open.pageCount();
    try {
      table.truncate(target.pageCount);
      if (table.digest !== target.digest) {
        throw diverged(
          this.#open.path,
          'the repaired pages do not add up to the digest of the primary',
        );
      }
      if (pageCount !== target.pageCount && !this.#appender.hasPages) this.#stageFirstPage();
      if (this.#appender.hasPages) this.#appender.commit(target.pageCount, true);
    } catch (error) {
      this.#unstage();
      throw error;
    }
    this.#staged = [];
    this.#state.adopt(target.txid, target.history);
    this.#state.recordApplied('replica', this.cursor);
  }

  /** Forgets the repair under way. */
  abortRepair(): void {
    this.#unstage();
  }

  /** Ends and hands the write lock over, still held; undefined when it is not. */
  close(): WriteLock | undefined {
    if (this.#staged.length > 0) this.#unstage();
    return this.#appender.close();
  }

  /** Writes the pages of a file where nobody sees them, and enters them into the table. */
  #stage(bytes: Uint8Array): LtxHeader {
    const decoder = new LtxDecoder();
    for (let at = 0; at < bytes.length; at += PIECE_BYTES) {
      const pages = decoder.push(bytes.subarray(at, at + PIECE_BYTES));
      const { header } = decoder;
      if (at === 0 && header !== undefined) this.#mustFollow(header);
      this.#stagePages(pages);
    }
    const { header } = decoder;
    const trailer: LtxTrailer = decoder.finish();
    if (header === undefined) throw new LtxError('ltx_truncated', 'The file has no header.');
    const { table } = this.#state;
    table.truncate(header.commit);
    if (table.rollingChecksum !== trailer.postApplyChecksum) {
      throw diverged(this.#open.path, 'the pages do not add up to the checksum of the primary');
    }
    if (!this.#appender.hasPages) this.#stageFirstPage();
    return header;
  }

  #stagePages(pages: readonly LtxPage[]): void {
    for (const { pgno, data } of pages) {
      this.#staged.push(pgno);
      this.#appender.write(pgno, data);
    }
    this.#state.table.setPages(pages);
  }

  /** SQLite's log says how many pages there are with a page, if it be one that does not change. */
  #stageFirstPage(): void {
    const page = new Uint8Array(this.#state.table.pageSize);
    withView(this.#open, this.#state, (view) => view.readPage(1, page));
    this.#stagePages([{ pgno: 1, data: page }]);
  }

  /** Shows what is in the log already; cut short by the disk, it is owed. */
  #publish(pageCount: number): void {
    this.#owedPageCount = pageCount;
    this.#appender.commit(pageCount, false);
    this.#owedPageCount = undefined;
    this.#state.recordApplied('replica', this.cursor);
  }

  /** Makes the table that of the database again, where it was ahead. */
  #unstage(): void {
    this.#mustUnstage = true;
    this.#appender.abort();
    const { table } = this.#state;
    withView(this.#open, this.#state, (view) => {
      const pgnos = new Set(this.#staged);
      for (let pgno = table.pageCount + 1; pgno <= view.pageCount; pgno += 1) pgnos.add(pgno);
      const present = [...pgnos].filter((pgno) => pgno <= view.pageCount);
      table.setPages(pagesOf(view, Uint32Array.from(present).sort()));
      table.truncate(view.pageCount);
    });
    this.#staged = [];
    this.#mustUnstage = false;
  }

  #mustFollow(header: LtxHeader): void {
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
