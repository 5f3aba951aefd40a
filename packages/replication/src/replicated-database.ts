import { existsSync, mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { assert, type Clock } from '@tandem/base';
import { encodeLtx } from '@tandem/ltx';
import type { Role } from './applied-file.ts';
import type { ConsistentView } from './consistent-view.ts';
import { replacePages } from './database-import.ts';
import { DatabaseSeed } from './database-seed.ts';
import { DatabaseState } from './database-state.ts';
import { EpochHistory, type Position } from './epoch-history.ts';
import { FileIdentityRecord } from './file-identity.ts';
import { OpenDatabase } from './open-database.ts';
import { PrimaryDatabase } from './primary-database.ts';
import type { Quarantine } from './quarantine.ts';
import { ReplicaDatabase } from './replica-database.ts';
import { ReplicationError } from './replication-error.ts';
import { beginState, differingPages, enterAll, settle, type Settlement } from './settle.ts';
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

export interface ReplicatedDatabaseOptions {
  /** Relative path with '/' between folders. */
  readonly name: string;
  readonly path: string;
  /** Where this node keeps what belongs to this database. */
  readonly stateFolder: string;
  readonly quarantine: Quarantine;
  readonly clock: Clock;
  /** How long to wait for locks of applications. */
  readonly busyTimeoutMs: number;
  /** Whether the log of transactions is synced with each file. */
  readonly sync: 'none' | 'full';
  readonly checkpointFrames: number;
  readonly framesMax: number;
  /** Whether other code of this process opens the database through SQLite (R1). */
  readonly isSharedInProcess?: boolean;
  /** Told when the primary's transactions have been applied, or its pages taken over. */
  readonly onApplied?: (database: ReplicatedDatabase) => void;
}

const NOWHERE: Position = { epoch: 0, txid: 0 };

/** A database that is there: its file and what is kept beside it. */
interface Present {
  readonly open: OpenDatabase;
  readonly state: DatabaseState;
  readonly identity: FileIdentityRecord;
  readonly settlement: Settlement;
}

/**
 * One database of a node, in either role: on the primary it captures what applications commit, on a
 * replica it applies what arrives. Between the two, and from the start, it is fenced: nobody writes.
 */
export class ReplicatedDatabase implements StreamSource, StreamSink {
  readonly name: string;
  readonly path: string;
  readonly #options: ReplicatedDatabaseOptions;
  #present: Present | undefined;
  #primary: PrimaryDatabase | undefined;
  #replica: ReplicaDatabase | undefined;
  #seed: DatabaseSeed | undefined;

  /**
   * Opens the database, if there is a file, and fences it.
   *
   * @throws ReplicationError `not_a_database`, `not_wal`, `database_locked`, or of the state's files.
   */
  constructor(options: ReplicatedDatabaseOptions) {
    this.name = options.name;
    this.path = options.path;
    this.#options = options;
    mkdirSync(options.stateFolder, { recursive: true });
    DatabaseSeed.removeLeftover(this.path, options.stateFolder);
    if (existsSync(this.path)) this.#openPresent();
  }

  /** What was found at the start; undefined while there is no database. */
  get settlement(): Settlement | undefined {
    return this.#present?.settlement;
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

  /** Lets applications write, in the name of `epoch`: a new one, or that of a term that goes on. */
  becomePrimary(epoch: number): void {
    const present = this.#present;
    if (present === undefined || this.#replica === undefined) return;
    const { state, open } = present;
    const firstTxid = state.history.starts.length === 0 ? 1 : state.log.lastTxid + 1;
    const isSameTerm = state.history.starts.at(-1)?.epoch === epoch;
    if (!isSameTerm) state.setHistory(state.history.begin(epoch, firstTxid));
    this.#primary = new PrimaryDatabase(open, state, this.#replica.cursor, this.#options);
    this.#replica.close().release();
    this.#replica = undefined;
  }

  /**
   * Stops applications from writing. What they have committed until then is captured.
   *
   * @throws ReplicationError `database_locked` when a transaction does not end in time
   */
  becomeReplica(): void {
    if (this.#primary === undefined || this.#present === undefined) return;
    const { open, state } = this.#present;
    const lock = WriteLock.take(open);
    this.#primary.capture();
    this.#primary.close();
    this.#primary = undefined;
    this.#replica = this.#follow(open, state, lock);
  }

  /** Captures what has been committed. @returns how many transactions that were; 0 on a replica */
  capture(): number {
    return this.#primary?.capture() ?? 0;
  }

  /** Copies SQLite's log into the database when it is time. */
  checkpointIfDue(): void {
    this.#primary?.checkpointIfDue();
    const outcome = this.#replica?.checkpointIfDue();
    if (outcome === 'emptied') this.#present?.identity.write(this.position().txid);
    if (outcome === 'foreign-write') this.#setForeignWriteAside();
  }

  readFrom(txid: number): LoggedFile | undefined {
    const log = this.#present?.state.log;
    const entry = log?.find(txid);
    if (log === undefined || entry?.minTxid !== txid) return undefined;
    const bytes = log.readFile(entry);
    return { ...entry, timestampMs: timestampOf(bytes), bytes };
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

  apply(ltx: Uint8Array, file: ArrivedFile): void {
    const { state } = this.#mustBePresent();
    assert(this.#replica !== undefined, 'only a replica applies');
    try {
      this.#replica.apply(ltx);
    } catch (error) {
      const isDiverged = error instanceof ReplicationError && error.code === 'diverged';
      if (isDiverged) state.forgetPosition();
      throw error;
    }
    state.setHistory(state.history.adopt(file.history, file.maxTxid));
    this.#options.onApplied?.(this);
    this.checkpointIfDue();
  }

  adoptHistory(history: EpochHistory): void {
    const state = this.#present?.state;
    state?.setHistory(state.history.adopt(history, state.log.lastTxid));
  }

  quarantineAfter(sharedTxid: number): void {
    const { state } = this.#mustBePresent();
    const { epoch, txid } = state.position;
    const aside = this.#options.quarantine.open({
      atMs: this.#options.clock.nowMs(),
      database: this.name,
      epoch,
      minTxid: sharedTxid + 1,
      maxTxid: txid,
      reason: 'This node wrote these transactions as primary, and the next primary never had them.',
    });
    state.log.truncateAfter(sharedTxid, aside.folder);
    state.forgetPosition();
  }

  beginRepair(target: RepairTarget): RepairWriter {
    if (this.#replica !== undefined && this.#table?.pageSize === target.pageSize) {
      return this.#repairPresent(this.#replica, target);
    }
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
   * @throws ReplicationError `not_a_database`, `not_primary`.
   */
  importFile(path: string): void {
    const { open, state } = this.#mustBePresent();
    if (this.#primary === undefined) {
      throw new ReplicationError('not_primary', 'Only the primary takes a database in.');
    }
    const lock = WriteLock.take(open);
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
    if (this.#present === undefined) return;
    const { open, state, identity } = this.#present;
    this.#primary?.capture();
    this.#primary?.close();
    const lock = this.#replica?.close();
    lock?.release();
    this.#present = undefined;
    this.#primary = undefined;
    this.#replica = undefined;
    // The last connection of all copies the log into the database and removes it.
    open.close();
    if (existsSync(this.path) && !existsSync(`${this.path}-wal`)) {
      state.markSynced();
      identity.write(state.log.lastTxid);
    }
    state.close();
    this.#seed?.discard();
    this.#seed = undefined;
  }

  /** Ends and sets the database aside: it was dropped, or its name was given to another. */
  setAside(reason: string): void {
    const { epoch, txid } = this.position();
    const { quarantine, clock, stateFolder } = this.#options;
    this.close();
    const aside = { atMs: clock.nowMs(), database: this.name, epoch, minTxid: 0, maxTxid: 0 };
    const place = quarantine.open({ ...aside, minTxid: Math.min(1, txid), maxTxid: txid, reason });
    quarantine.moveDatabase(place, this.path);
    rmSync(stateFolder, { recursive: true, force: true });
  }

  get #table(): DatabaseState['table'] | undefined {
    return this.#seed?.table ?? this.#present?.state.table;
  }

  #mustBePresent(): Present {
    if (this.#present !== undefined) return this.#present;
    throw new ReplicationError('not_a_database', `there is no database at ${this.path} yet`);
  }

  /** All pages at the position; what has been committed is captured first. */
  #openPages(): ConsistentView {
    const view = this.#primary?.view() ?? this.#replica?.view();
    assert(view !== undefined, 'a database that is there has a role');
    return view;
  }

  #openPresent(): void {
    const { path, stateFolder, busyTimeoutMs, sync, clock } = this.#options;
    const identity = new FileIdentityRecord(join(stateFolder, 'identity.json'), path);
    const isKnown = DatabaseState.exists(stateFolder);
    const heldTxid = identity.heldTxid();
    const isSharedInProcess = this.#options.isSharedInProcess ?? false;
    const open = OpenDatabase.open(path, { busyTimeoutMs, isSharedInProcess });
    const lock = WriteLock.take(open);
    const state = isKnown
      ? DatabaseState.open(stateFolder, sync)
      : DatabaseState.create(stateFolder, open.pageSize, sync);
    const isUntouched = heldTxid === state.log.lastTxid;
    const context = { isUntouched, nowMs: clock.nowMs(), lock };
    const settlement = isKnown ? settle(open, state, context) : beginState(open, state);
    this.#present = { open, state, identity, settlement };
    const leftover = new PrimaryDatabase(open, state, settlement.cursor, this.#options);
    leftover.capture();
    leftover.close();
    this.#replica = this.#follow(open, state, lock);
  }

  #follow(open: OpenDatabase, state: DatabaseState, lock: WriteLock): ReplicaDatabase {
    const { checkpointFrames } = this.#options;
    return new ReplicaDatabase(open, state, lock, { checkpointFrames, isLogSynced: false });
  }

  #repairPresent(replica: ReplicaDatabase, target: RepairTarget): RepairWriter {
    const { position, history, pageCount } = target;
    return {
      writePage: (pgno, data) => replica.repairPage(pgno, data),
      commit: async (digest) => {
        replica.commitRepair({ txid: position.txid, history, pageCount, digest });
        this.#options.onApplied?.(this);
        this.checkpointIfDue();
      },
      abort: () => replica.abortRepair(),
    };
  }

  #repairSeed(seed: DatabaseSeed, target: RepairTarget): RepairWriter {
    return {
      writePage: (pgno, data) => seed.writePage(pgno, data),
      commit: async (digest) => {
        this.#install(seed, target, digest);
        this.#options.onApplied?.(this);
      },
      abort: () => {},
    };
  }

  #install(seed: DatabaseSeed, target: RepairTarget, digest: string): void {
    const { stateFolder } = this.#options;
    this.#seed = undefined;
    if (this.#present !== undefined) {
      this.setAside('The primary has another database of this name, with pages of another size.');
      mkdirSync(stateFolder, { recursive: true });
    }
    seed.finish(target.pageCount, digest, join(stateFolder, 'pages'));
    const state = DatabaseState.open(stateFolder, this.#options.sync);
    state.adopt(target.position.txid, target.history);
    state.markSynced();
    state.close();
    new FileIdentityRecord(join(stateFolder, 'identity.json'), this.path).write(
      target.position.txid,
    );
    this.#openPresent();
  }

  /** R5. Keeps what another program wrote to a replica, and has the pages fetched anew. */
  #setForeignWriteAside(): void {
    const { state, open } = this.#mustBePresent();
    const view = this.#openPages();
    const { pageSize } = state.table;
    const pages = differingPages(view, state.table).map((pgno) => {
      const data = new Uint8Array(pageSize);
      view.readPage(pgno, data);
      return { pgno, data };
    });
    view.close();
    const { epoch, txid } = state.position;
    const { quarantine, clock } = this.#options;
    const reason = 'Another program wrote this to a replica.';
    const range = { epoch, minTxid: txid + 1, maxTxid: txid + 1 };
    const aside = quarantine.open({ atMs: clock.nowMs(), database: this.name, ...range, reason });
    const bytes = encodeLtx(foreignHeader(pageSize, open.pageCount(), txid, clock.nowMs()), pages, 0n);
    quarantine.writeBytes(aside, 'foreign-write.ltx', bytes);
    enterAll(open, state);
    state.forgetPosition();
    throw new ReplicationError('foreign_write', `${this.path}: ${reason} It is in ${aside.folder}.`, {
      retryable: true,
      hint: 'Let programs on this node write through the proxy, or open the database read-only.',
    });
  }
}

/** When the last transaction of an LTX file was made: bytes 32 to 39 of its header. */
function timestampOf(ltx: Uint8Array): number {
  return Number(new DataView(ltx.buffer, ltx.byteOffset).getBigInt64(32));
}

function foreignHeader(pageSize: number, commit: number, txid: number, timestampMs: number) {
  const nowhere = { walOffsetBytes: 0, walSizeBytes: 0, walSalt1: 0, walSalt2: 0, nodeId: 0n };
  const range = { minTxid: txid + 1, maxTxid: txid + 1, preApplyChecksum: 0n };
  return { pageSize, commit, timestampMs, ...range, ...nowhere, isChecksummed: false };
}
