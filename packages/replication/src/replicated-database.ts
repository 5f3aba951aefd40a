import { existsSync, mkdirSync, rmSync } from 'node:fs';
import { assert } from '@tandem/base';
import { readLibraryVersion } from '@tandem/sqlite-format';
import type { Role } from './applied-file.ts';
import type { ConsistentView } from './consistent-view.ts';
import { replacePages } from './database-import.ts';
import { DatabaseSeed } from './database-seed.ts';
import type { DatabaseState } from './database-state.ts';
import { EpochHistory, type Position } from './epoch-history.ts';
import { setForeignWriteAside } from './foreign-write.ts';
import { cutLtx, joinLtx } from './joined-ltx.ts';
import { readLoggedFile } from './logged-file.ts';
import { differingPages } from './page-comparison.ts';
import {
  openPresentDatabase,
  type PresentDatabase,
  type PresentDatabaseOptions,
} from './present-database.ts';
import { PrimaryDatabase } from './primary-database.ts';
import type { QuarantineKind } from './quarantine.ts';
import { ReplicaDatabase, type ReplicaOptions } from './replica-database.ts';
import { ReplicationError } from './replication-error.ts';
import { installSeed } from './seed-install.ts';
import type { Settlement } from './settle.ts';
import type {
  ArrivedFile,
  LoggedFile,
  RepairTarget,
  RepairView,
  RepairWriter,
  StreamSink,
  StreamSource,
} from './stream-source.ts';
import { TableView } from './table-view.ts';
import { WriteLock } from './write-lock.ts';

export interface ReplicatedDatabaseOptions extends PresentDatabaseOptions, ReplicaOptions {
  readonly framesMax: number;
  /** Told when the primary's transactions have been applied, or its pages taken over. */
  readonly onApplied?: (database: ReplicatedDatabase) => void;
}

const NOWHERE: Position = { epoch: 0, txid: 0 };

/**
 * One database of a node, in either role: on the primary it captures what applications commit, on a
 * replica it applies what arrives. Between the two, and from the start, it is fenced: nobody writes.
 */
export class ReplicatedDatabase implements StreamSource, StreamSink {
  readonly name: string;
  readonly path: string;
  readonly #options: ReplicatedDatabaseOptions;
  #present: PresentDatabase | undefined;
  #primary: PrimaryDatabase | undefined;
  #replica: ReplicaDatabase | undefined;
  /** Writers are stopped, and what they have written is yet to be captured. */
  #fence: WriteLock | undefined;
  #seed: DatabaseSeed | undefined;
  #capturedCount = 0;
  #changedAtMs: number | undefined;
  #libraryVersion = 0;

  /**
   * Opens the database, if there is a file, and fences it.
   *
   * @throws ReplicationError `not_a_database`, `not_wal`, `database_locked`, or of the state's files.
   */
  constructor(options: ReplicatedDatabaseOptions) {
    this.name = options.name;
    this.path = options.path;
    this.#options = {
      ...options,
      onCaptured: (transactions, timestampMs) => {
        this.#capturedCount += transactions;
        this.#changedAtMs = timestampMs;
      },
      onFirstPage: (page) => {
        this.#libraryVersion = readLibraryVersion(page);
      },
    };
    mkdirSync(options.stateFolder, { recursive: true });
    DatabaseSeed.removeLeftover(this.path, options.stateFolder);
    if (existsSync(this.path)) this.#openPresent();
  }

  /** What was found at the start; undefined while there is no database. */
  get settlement(): Settlement | undefined {
    return this.#present?.settlement;
  }

  /** Transactions of applications that were captured since the database was opened. */
  get capturedCount(): number {
    return this.#capturedCount;
  }

  /** When the last transaction was captured, here or where it comes from; undefined without any yet. */
  get changedAtMs(): number | undefined {
    return this.#changedAtMs;
  }

  /**
   * The version of SQLite that wrote the first page last, as `SQLITE_VERSION_NUMBER`; 0 when nobody
   * has. A replica has seen it when it was opened.
   */
  get libraryVersion(): number {
    return this.#libraryVersion;
  }

  get role(): Role {
    return this.#primary === undefined ? 'replica' : 'primary';
  }

  get isPresent(): boolean {
    return this.#present !== undefined;
  }

  /** Which file it is; undefined while there is none. */
  get inode(): number | undefined {
    return this.#present?.open.inode;
  }

  get log(): DatabaseState['log'] | undefined {
    return this.#present?.state.log;
  }

  /** Up to here, the database file itself holds everything durably. */
  get syncedTxid(): number {
    return this.#present?.state.table.txid ?? 0;
  }

  position(): Position {
    return this.#present?.state.position ?? NOWHERE;
  }

  history(): EpochHistory {
    return this.#present?.state.history ?? EpochHistory.EMPTY;
  }

  pageSize(): number {
    return this.#table?.pageSize ?? 0;
  }

  pageCount(): number {
    return this.#present?.state.table.pageCount ?? 0;
  }

  /** The digest of all pages at the position; equal databases have equal ones. */
  digest(): string {
    return this.#present?.state.table.digest ?? '';
  }

  /** The rolling checksum of LTX at the position; 0 while there is no database. */
  checksum(): bigint {
    return this.#present?.state.checksum ?? 0n;
  }

  groupDigests(): Uint8Array {
    return this.#table?.groupDigests() ?? new Uint8Array();
  }

  pageDigests(group: number): Uint8Array {
    return this.#table?.pageDigests(group) ?? new Uint8Array();
  }

  /**
   * Lets applications write, in the name of `epoch`: a new one, or that of a term that goes on. Also
   * when `becomeReplica` has failed since the term before; what was committed belongs to that one.
   *
   * @throws ReplicationError `epoch_outdated`, `database_locked`, `foreign_write`
   */
  becomePrimary(epoch: number): void {
    const present = this.#present;
    if (present === undefined) return;
    const { state } = present;
    const replica = this.#replica;
    if (replica === undefined) this.#primary?.capture();
    else this.#guarded(() => replica.fence());
    // Pages that stand for no known transaction are the first one.
    if (state.log.lastTxid === 0) state.rebase();
    const firstTxid = state.history.starts.length === 0 ? 1 : state.log.lastTxid + 1;
    const isSameTerm = state.history.starts.at(-1)?.epoch === epoch;
    if (!isSameTerm) state.setHistory(state.history.begin(epoch, firstTxid));
    this.#fence?.release();
    this.#fence = undefined;
    if (replica === undefined) return;
    const { cursor } = replica;
    state.beginRole('primary', cursor);
    this.#primary = new PrimaryDatabase(present, cursor, this.#options);
    this.#replica = undefined;
    replica.close()?.release();
  }

  /**
   * Stops applications from writing, then captures what they have committed until then.
   *
   * @param timeoutMs - how long a transaction under way may go on
   * @throws ReplicationError `database_locked` when it does not end in time, and whatever capture
   * throws, in which case they stay stopped; call it again.
   */
  becomeReplica(timeoutMs?: number): void {
    if (this.#primary === undefined || this.#present === undefined) return;
    const { open, state } = this.#present;
    const lock = (this.#fence ??= WriteLock.take(open, timeoutMs));
    this.#primary.capture();
    this.#primary.flush();
    this.#replica = this.#follow(lock);
    this.#fence = undefined;
    this.#primary.close();
    this.#primary = undefined;
    // As long as no other primary is followed, what programs might yet write is of this one's epoch.
    state.recordApplied('primary', this.#replica.cursor);
  }

  /** Captures what has been committed. @returns how many transactions that were; 0 on a replica */
  capture(): number {
    return this.#primary?.capture() ?? 0;
  }

  /** As `capture`, with what has to be done to SQLite's log. */
  look(): number {
    return this.#primary?.look() ?? 0;
  }

  /**
   * Makes durable what has been captured; what has been applied is so already.
   *
   * @throws ReplicationError `disk_full`, `state_failed`; the next call tries again.
   */
  flush(): void {
    this.#primary?.flush();
  }

  /** Copies SQLite's log into the database when it is time. Also lets applications do so. */
  checkpointIfDue(): void {
    this.#primary?.checkpointIfDue();
    const replica = this.#replica;
    if (replica === undefined) return;
    const outcome = this.#guarded(() => replica.checkpointIfDue());
    if (outcome === 'emptied') this.#present?.identity.write(this.position().txid);
  }

  /** As `readHolding`, where the file begins with `txid`, and durable: for whoever keeps it. */
  readFrom(txid: number): LoggedFile | undefined {
    this.flush();
    return this.log?.find(txid)?.minTxid === txid ? this.readHolding(txid) : undefined;
  }

  readHolding(txid: number): LoggedFile | undefined {
    const log = this.#present?.state.log;
    return log === undefined ? undefined : readLoggedFile(log, txid);
  }

  bytesAfter(txid: number): number {
    const log = this.#present?.state.log;
    if (log === undefined || txid >= log.lastTxid) return 0;
    const entries = log.measuredEntries().filter(({ maxTxid }) => maxTxid > txid);
    return entries.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  }

  openView(): RepairView {
    const { state } = this.#mustBePresent();
    const view = this.#openPages();
    return new TableView(view, {
      position: state.position,
      history: state.history,
      digest: state.table.digest,
      groupDigests: state.table.groupDigests(),
    });
  }

  /**
   * Logs and applies files in a row, as one where they fit together; they are durable when this
   * returns.
   */
  apply(files: readonly ArrivedFile[]): void {
    const { state } = this.#mustBePresent();
    const replica = this.#mustFollow();
    const [first, last] = [files[0], files.at(-1)];
    assert(first !== undefined && last !== undefined, 'there is a file to apply');
    const minTxid = state.log.lastTxid + 1;
    const parts = files.map(({ bytes }) => bytes);
    try {
      if (first.minTxid < minTxid) {
        parts[0] = cutLtx(first.bytes, { minTxid, preApplyChecksum: state.checksum });
      }
      for (const ltx of joinLtx(parts)) replica.apply(ltx);
    } catch (error) {
      const isDiverged = error instanceof ReplicationError && error.code === 'diverged';
      if (isDiverged) state.forgetPosition();
      throw error;
    }
    // T3. Readers may see it before, as they may see what the primary has yet to make durable.
    state.log.flush();
    state.setHistory(state.history.adopt(last.history, last.maxTxid));
    this.#changedAtMs = last.timestampMs;
    this.#options.counters?.add('transactionsApplied', state.log.lastTxid + 1 - minTxid);
    this.#options.onApplied?.(this);
    this.checkpointIfDue();
  }

  adoptHistory(history: EpochHistory): void {
    const state = this.#present?.state;
    if (state === undefined) return;
    this.#mustFollow();
    state.setHistory(state.history.adopt(history, state.log.lastTxid));
  }

  quarantineAfter(sharedTxid: number): void {
    const { state } = this.#mustBePresent();
    this.#mustFollow();
    const { firstTxid } = state.log;
    const reason =
      'This node wrote these transactions as primary, and the next primary never had them.';
    if (firstTxid === 0 || firstTxid > sharedTxid + 1) {
      // The log does not hold all of them any more, but the database does.
      this.setAside('diverged', reason);
      mkdirSync(this.#options.stateFolder, { recursive: true });
      return;
    }
    const { epoch, txid } = state.position;
    const aside = this.#options.quarantine.open({
      kind: 'diverged',
      atMs: this.#options.clock.nowMs(),
      database: this.name,
      epoch,
      minTxid: sharedTxid + 1,
      maxTxid: txid,
      reason,
    });
    state.log.truncateAfter(sharedTxid, aside.folder);
    state.forgetPosition();
  }

  beginRepair(target: RepairTarget): RepairWriter {
    const isPresent = this.#present?.state.table.pageSize === target.pageSize;
    if (isPresent) return this.#repairPresent(this.#mustFollow(), target);
    this.#seed ??= new DatabaseSeed(this.path, this.#options.stateFolder, target.pageSize);
    return this.#repairSeed(this.#seed, target);
  }

  /** How many pages of the database are not what they should be. Reads all of it. */
  verify(): number {
    const view = this.#openPages();
    try {
      return differingPages(view, this.#mustBePresent().state.table).length;
    } finally {
      view.close();
    }
  }

  /**
   * Gives the database the pages of a file, as one transaction. Only on a primary.
   *
   * @throws ReplicationError `not_a_database`, `not_primary`, and `database_locked` when a program
   * holds SQLite's write lock for longer than `lockTimeoutMs`; this thread stands still meanwhile.
   */
  importFile(path: string, lockTimeoutMs = this.#options.busyTimeoutMs): void {
    const { open, state } = this.#mustBePresent();
    if (this.#primary === undefined) {
      throw new ReplicationError('not_primary', 'Only the primary takes a database in.');
    }
    const lock = WriteLock.take(open, lockTimeoutMs);
    try {
      this.#primary.capture();
      replacePages(path, { open, state, lock });
    } finally {
      lock.release();
    }
    this.#primary.capture();
  }

  /** Ends. Afterwards applications may write, which the next start finds out. */
  close(): void {
    this.#seed?.discard();
    this.#seed = undefined;
    if (this.#present === undefined) return;
    const { open, state, checkpointed } = this.#present;
    this.#rest(this.#present);
    this.#primary?.close();
    this.#replica?.close()?.release();
    this.#fence?.release();
    this.#primary = this.#replica = this.#fence = this.#present = undefined;
    open.close();
    state.close();
    checkpointed.close();
  }

  /** Ends and sets the database aside: it was dropped, or its name was given to another. */
  setAside(kind: QuarantineKind, reason: string): void {
    const { epoch, txid } = this.position();
    const { quarantine, clock, stateFolder } = this.#options;
    this.close();
    const range = { epoch, minTxid: Math.min(1, txid), maxTxid: txid };
    const about = { kind, database: this.name, atMs: clock.nowMs(), reason };
    const place = quarantine.open({ ...about, ...range });
    quarantine.moveDatabase(place, this.path);
    rmSync(stateFolder, { recursive: true, force: true });
  }

  get #table(): DatabaseState['table'] | undefined {
    return this.#seed?.table ?? this.#present?.state.table;
  }

  #mustBePresent(): PresentDatabase {
    if (this.#present !== undefined) return this.#present;
    throw new ReplicationError('not_a_database', `there is no database at ${this.path} yet`);
  }

  /** All pages at the position; what has been committed is captured first. */
  #openPages(): ConsistentView {
    const replica = this.#replica;
    if (replica !== undefined) this.#guarded(() => replica.fence());
    const view = this.#primary?.view() ?? replica?.view();
    assert(view !== undefined, 'a database that is there has a role');
    return view;
  }

  #openPresent(): void {
    this.#present = openPresentDatabase(this.#options);
    this.#replica = this.#follow(this.#present.lock);
  }

  #follow(lock: WriteLock): ReplicaDatabase {
    const { open, state } = this.#mustBePresent();
    return new ReplicaDatabase(open, state, lock, this.#options);
  }

  /** The database as a follower of another node, which from here on it durably is (R11). */
  #mustFollow(): ReplicaDatabase {
    const { state } = this.#mustBePresent();
    const replica = this.#replica;
    if (replica === undefined) {
      throw new ReplicationError('database_locked', `${this.path} is still being written to`, {
        retryable: true,
        hint: 'A program began a transaction while this node was primary, and has not ended it.',
      });
    }
    this.#guarded(() => replica.fence());
    if (state.applied?.role !== 'replica') state.beginRole('replica', replica.cursor);
    return replica;
  }

  /** Does something that may find that another program has written, which is then set aside. */
  #guarded<Result>(action: () => Result): Result {
    try {
      return action();
    } catch (error) {
      const isForeignWrite = error instanceof ReplicationError && error.code === 'foreign_write';
      if (!isForeignWrite) throw error;
      const { open, state } = this.#mustBePresent();
      const aside = setForeignWriteAside({ ...this.#options, open, state });
      this.#replica?.acceptForeignWrite();
      if (aside === undefined) return action();
      throw new ReplicationError('foreign_write', `${error.message}. It is in ${aside.folder}.`, {
        retryable: true,
        hint: 'Let programs on this node write through the proxy, or open the database read-only.',
      });
    }
  }

  /**
   * Leaves the database so that the next start knows it by its file alone, if nobody is in the way:
   * otherwise it finds out from SQLite's log, or by comparing pages (R7).
   */
  #rest({ state, identity }: PresentDatabase): void {
    try {
      this.becomeReplica();
      this.#replica?.fence();
      if (this.#replica?.checkpoint() !== 'emptied') return;
      identity.write(state.log.lastTxid);
      identity.settleTime();
    } catch (error) {
      if (!(error instanceof ReplicationError)) throw error;
    }
  }

  #repairPresent(replica: ReplicaDatabase, target: RepairTarget): RepairWriter {
    const { position, history, pageCount } = target;
    return {
      writePages: (pgno, bytes) => replica.repairPages(pgno, bytes),
      commit: async (digest) => {
        replica.commitRepair({ txid: position.txid, history, pageCount, digest });
        this.#options.counters?.add('repairs');
        this.#options.onApplied?.(this);
        this.checkpointIfDue();
      },
      abort: () => replica.abortRepair(),
    };
  }

  #repairSeed(seed: DatabaseSeed, target: RepairTarget): RepairWriter {
    return {
      writePages: (pgno, bytes) => seed.writePages(pgno, bytes),
      commit: async (digest) => {
        await seed.settled();
        this.#install(seed, target, digest);
        this.#options.counters?.add('repairs');
        this.#options.onApplied?.(this);
      },
      abort: () => seed.settled(),
    };
  }

  #install(seed: DatabaseSeed, target: RepairTarget, digest: string): void {
    const { stateFolder } = this.#options;
    this.#seed = undefined;
    if (this.#present !== undefined) {
      const reason = 'The primary has another database of this name, with pages of another size.';
      this.setAside('replaced', reason);
      mkdirSync(stateFolder, { recursive: true });
    }
    installSeed(seed, this.#options, target, digest);
    this.#openPresent();
  }
}
