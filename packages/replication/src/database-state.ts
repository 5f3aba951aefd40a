import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { assert } from '@tandem/base';
import {
  decodeLtx,
  EMPTY_ROLLING_CHECKSUM,
  LtxEncoder,
  type LtxHeader,
  type LtxPage,
} from '@tandem/ltx';
import { frameOffset } from '@tandem/sqlite-format';
import { AppliedFile, type AppliedRecord, type Role } from './applied-file.ts';
import { EpochHistory, type Position } from './epoch-history.ts';
import { LtxLog, type LogEntry, type LtxLogOptions } from './ltx-log.ts';
import { PageTable } from './page-table.ts';
import { SmallFile } from './small-file.ts';
import { openPageTable } from './open-page-table.ts';
import { StagedChange } from './staged-change.ts';
import type { WalCursor } from './wal-cursor.ts';

/** Transactions that were committed to SQLite's log, as pages. */
export interface PageChange {
  readonly transactions: number;
  /** Pages of the database afterwards. */
  readonly pageCount: number;
  /** Ascending; the data of one may be overwritten when the next is asked for. */
  readonly pages: Iterable<LtxPage>;
  /** Where in SQLite's log they begin and end; undefined when they were not read from it. */
  readonly frames?: { readonly from: WalCursor; readonly to: WalCursor };
}

/**
 * What a node keeps beside one database: its transactions as LTX files, the digests of its pages,
 * which epochs wrote them, and where in SQLite's log that state ends.
 *
 * R6. A transaction is in the log of transactions before it is sent or applied, and durable there before
 * it is acknowledged or confirmed.
 */
export class DatabaseState {
  readonly folder: string;
  readonly log: LtxLog;
  readonly #table: PageTable;
  /** A change that is in the log and has yet to be entered into the table. */
  #owed: StagedChange | undefined;
  /**
   * R10. Whether the table is that of the position. What it says is used as a fact only then: after a
   * stop in the middle of a change, it may hold what the log does not.
   */
  readonly isTableTrusted: boolean;
  readonly #appliedFile: AppliedFile;
  readonly #historyFile: SmallFile<EpochHistory>;
  #history: EpochHistory;
  #applied: AppliedRecord | undefined;
  /** The rolling checksum at the position; a replica's table is ahead of it while a file is applied. */
  #checksum: bigint;

  private constructor(folder: string, log: LtxLog, table: PageTable) {
    this.folder = folder;
    this.log = log;
    this.#table = table;
    this.#appliedFile = new AppliedFile(join(folder, 'applied'));
    this.#applied = this.#appliedFile.read();
    this.#historyFile = new SmallFile({
      path: join(folder, 'epochs.json'),
      parse: (value) => EpochHistory.parse(value),
      hint: 'Remove the file; the node then compares its pages with the primary anew.',
    });
    this.#historyFile.removeLeftover();
    this.#history = this.#historyFile.read() ?? EpochHistory.EMPTY;
    this.isTableTrusted = this.#bringTableUp();
    this.#checksum = table.rollingChecksum;
  }

  /** Whether the folder holds the state of a database. */
  static exists(folder: string): boolean {
    return PageTable.exists(join(folder, 'pages')) || existsSync(join(folder, 'ltx'));
  }

  /**
   * Opens the state in `folder`. A table that is missing, damaged or of another page size is begun
   * anew; it is then not to be trusted.
   *
   * @throws ReplicationError when the state is damaged in another way.
   */
  static open(folder: string, pageSize: number, sync: LtxLogOptions['sync']): DatabaseState {
    const table = openPageTable(join(folder, 'pages'), pageSize);
    const log = LtxLog.open(join(folder, 'ltx'), { sync, verifiedTxid: table.txid });
    return new DatabaseState(folder, log, table);
  }

  /** Makes the state of a database whose pages are yet to be entered. */
  static create(folder: string, pageSize: number, sync: LtxLogOptions['sync']): DatabaseState {
    mkdirSync(folder, { recursive: true });
    const table = PageTable.create(join(folder, 'pages'), pageSize);
    return new DatabaseState(folder, LtxLog.open(join(folder, 'ltx'), { sync }), table);
  }

  /**
   * The table, which has all that was appended to the log.
   *
   * @throws ReplicationError `disk_full`, `state_failed` while it cannot be given that.
   */
  get table(): PageTable {
    this.#payTable();
    return this.#table;
  }

  get history(): EpochHistory {
    return this.#history;
  }

  get position(): Position {
    return this.#history.positionOf(this.log.lastTxid);
  }

  /** The rolling checksum of the database at the position. */
  get checksum(): bigint {
    return this.#checksum;
  }

  /** Where SQLite's log held the state last, and who wrote it; undefined when that is not known. */
  get applied(): AppliedRecord | undefined {
    return this.#applied;
  }

  setHistory(history: EpochHistory): void {
    if (isSame(history, this.#history)) return;
    this.#historyFile.replace(history);
    this.#history = history;
  }

  /** Records that SQLite's log holds the state at the position up to `cursor`. */
  recordApplied(role: Role, cursor: WalCursor): void {
    this.#record(role, cursor, false);
  }

  /**
   * R11. Records who writes from here on, durably: what is found in SQLite's log after a stop was
   * written by applications in one role, and against the rules in the other.
   */
  beginRole(role: Role, cursor: WalCursor): void {
    this.#record(role, cursor, true);
  }

  /** Files with transactions after `txid`; undefined when the log does not reach back to it. */
  entriesAfter(txid: number): readonly LogEntry[] | undefined {
    if (txid > this.log.lastTxid) return undefined;
    const entries = this.log.entries().filter(({ maxTxid }) => maxTxid > txid);
    const firstTxid = entries[0]?.minTxid ?? this.log.lastTxid + 1;
    return firstTxid === txid + 1 ? entries : undefined;
  }

  /**
   * Logs what applications have committed. It is durable after the log's `flush`.
   *
   * R10. The table changes only after the log has the file: a stop in between leaves a table that can
   * be brought up, where one with entries of a file that is not there would be of no use.
   *
   * @throws ReplicationError `disk_full`, `state_failed`. The log may then have the change, and the
   * table is made up for before it is used again.
   */
  append(change: PageChange, timestampMs: number): void {
    const header = this.#headerOf(change, timestampMs);
    assert(header.minTxid > 1, 'the first transaction is the database as it was found');
    const staged = new StagedChange(this.table);
    this.log.append(header, timestampMs, (write) => {
      const encoder = new LtxEncoder(header, write);
      for (const page of change.pages) {
        encoder.page(page.pgno, page.data);
        staged.add(page);
      }
      staged.truncate(change.pageCount);
      encoder.finish(staged.rollingChecksum);
    });
    this.#checksum = staged.rollingChecksum;
    this.#owed = staged;
    this.#payTable();
  }

  /** Logs a file that another node wrote, whose pages are in the table already. */
  appendFile(bytes: Uint8Array, header: LtxHeader): void {
    this.log.append(header, header.timestampMs, (write) => write(bytes));
    this.#checksum = this.table.rollingChecksum;
  }

  /** Enters pages into the table alone. */
  enter(pages: Iterable<LtxPage>, pageCount: number): void {
    this.table.setPages(pages);
    this.table.truncate(pageCount);
    this.#checksum = this.table.rollingChecksum;
  }

  /**
   * As `append` without a file: whoever is behind this compares pages. For what changed unseen, and
   * nobody can tell which pages.
   */
  rebase(): void {
    this.#reset(this.log.lastTxid + 1);
  }

  /** The table is that of a transaction that the log does not reach. */
  goOnAfter(txid: number): void {
    this.#reset(txid);
  }

  /** The database has been brought to a state of another node by its pages. */
  adopt(txid: number, history: EpochHistory): void {
    this.#reset(txid);
    this.setHistory(this.#history.adopt(history, txid));
  }

  /** Forgets which transactions the pages stand for: nothing is shared with anybody. */
  forgetPosition(): void {
    this.#reset(0);
    this.setHistory(this.#history.truncateAfter(0));
  }

  /** The database itself now holds, on the disk, everything up to the position. */
  markSynced(): void {
    this.table.markSynced(this.log.lastTxid);
  }

  close(): void {
    this.log.close();
    this.#appliedFile.close();
    this.#table.close();
  }

  #payTable(): void {
    this.#owed?.enter();
    this.#owed = undefined;
  }

  #record(role: Role, cursor: WalCursor, isSynced: boolean): void {
    this.#applied = { txid: this.log.lastTxid, role, cursor };
    this.#appliedFile.write(this.#applied, isSynced);
  }

  /** The log goes on, empty, after `txid`, of which the table is durable. */
  #reset(txid: number): void {
    this.table.markSynced(txid);
    this.#checksum = this.table.rollingChecksum;
    // What is of no known transaction has no checksum to know it by.
    this.log.reset(txid, txid === 0 ? undefined : this.#checksum);
  }

  /**
   * Enters what the log holds beyond the table. R10. An entry depends on its page alone, so that this
   * leads to the table of the position, unless there are entries of a transaction that never reached
   * the log; then the sum of the entries is not the checksum that the newest file, or the emptied log,
   * ends with.
   */
  #bringTableUp(): boolean {
    const { table, log } = this;
    if (table.pageCount === 0) return false;
    if (table.wasClean && table.txid === log.lastTxid) return true;
    const newest = log.find(log.lastTxid);
    const checksum = newest === undefined ? log.baseChecksum : log.checksumAfter(newest);
    const later = this.entriesAfter(table.txid);
    if (checksum === undefined || later === undefined) return false;
    for (const entry of later) {
      const { pages, header } = decodeLtx(log.readFile(entry));
      this.enter(pages, header.commit);
    }
    return table.absentCount === 0 && table.rollingChecksum === checksum;
  }

  #headerOf(change: PageChange, timestampMs: number): LtxHeader {
    const { pageSize } = this.table;
    const { from, to } = change.frames ?? {};
    const isWhole = from !== undefined && to !== undefined;
    const start = isWhole ? frameOffset(from.position.frame + 1, pageSize) : 0;
    const end = isWhole ? frameOffset(to.position.frame + 1, pageSize) : 0;
    return {
      pageSize,
      commit: change.pageCount,
      minTxid: this.log.lastTxid + 1,
      maxTxid: this.log.lastTxid + change.transactions,
      timestampMs,
      preApplyChecksum: this.#checksum === 0n ? EMPTY_ROLLING_CHECKSUM : this.#checksum,
      walOffsetBytes: start,
      walSizeBytes: end - start,
      walSalt1: to?.generation.salt1 ?? 0,
      walSalt2: to?.generation.salt2 ?? 0,
      nodeId: 0n,
      isChecksummed: true,
    };
  }
}

/** Epochs only ever rise, so that the ends of two histories of one node tell them apart. */
function isSame(a: EpochHistory, b: EpochHistory): boolean {
  const [lastA, lastB] = [a.starts.at(-1), b.starts.at(-1)];
  return (
    a.highestEpoch === b.highestEpoch &&
    a.starts.length === b.starts.length &&
    lastA?.epoch === lastB?.epoch &&
    lastA?.firstTxid === lastB?.firstTxid
  );
}
