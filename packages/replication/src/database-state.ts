import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { decodeLtx, EMPTY_ROLLING_CHECKSUM, LtxEncoder, type LtxHeader, type LtxPage } from '@tandem/ltx';
import { frameOffset } from '@tandem/sqlite-format';
import { AppliedFile, type AppliedRecord, type Role } from './applied-file.ts';
import { EpochHistory, type Position } from './epoch-history.ts';
import { LtxLog, type LtxLogOptions } from './ltx-log.ts';
import { PageTable } from './page-table.ts';
import { SmallFile } from './small-file.ts';
import type { WalCursor } from './wal-cursor.ts';

/** Transactions that were committed to SQLite's log, as pages. */
export interface PageChange {
  readonly transactions: number;
  /** Pages of the database afterwards. */
  readonly pageCount: number;
  /** Ascending; the data of one may be overwritten when the next is asked for. */
  readonly pages: Iterable<LtxPage>;
  readonly from: WalCursor;
  readonly to: WalCursor;
}

/**
 * What a node keeps beside one database: its transactions as LTX files, the digests of its pages,
 * which epochs wrote them, and where in SQLite's log that state ends.
 *
 * R6. A transaction is in the log of transactions before it is acknowledged, sent or applied.
 */
export class DatabaseState {
  readonly folder: string;
  readonly log: LtxLog;
  readonly table: PageTable;
  readonly #applied: AppliedFile;
  readonly #historyFile: SmallFile<EpochHistory>;
  #history: EpochHistory;
  /** The rolling checksum at the position; the table may be ahead of it while a change is written. */
  #checksum: bigint;

  private constructor(folder: string, log: LtxLog, table: PageTable) {
    this.folder = folder;
    this.log = log;
    this.table = table;
    this.#applied = new AppliedFile(join(folder, 'applied'));
    this.#historyFile = new SmallFile({
      path: join(folder, 'epochs.json'),
      parse: (value) => EpochHistory.parse(value),
      hint: 'Remove the file; the node then compares its pages with the primary anew.',
    });
    this.#historyFile.removeLeftover();
    this.#history = this.#historyFile.read() ?? EpochHistory.EMPTY;
    this.#checksum = table.rollingChecksum;
  }

  /** Whether the folder holds the state of a database. */
  static exists(folder: string): boolean {
    return PageTable.exists(join(folder, 'pages'));
  }

  /** Opens the state in `folder`. @throws ReplicationError when it is damaged. */
  static open(folder: string, sync: LtxLogOptions['sync']): DatabaseState {
    const table = PageTable.open(join(folder, 'pages'));
    return new DatabaseState(folder, LtxLog.open(join(folder, 'ltx'), { sync }), table);
  }

  /** Makes the state of a database whose pages are yet to be entered. */
  static create(folder: string, pageSize: number, sync: LtxLogOptions['sync']): DatabaseState {
    mkdirSync(folder, { recursive: true });
    const table = PageTable.create(join(folder, 'pages'), pageSize);
    return new DatabaseState(folder, LtxLog.open(join(folder, 'ltx'), { sync }), table);
  }

  get #repairMark(): string {
    return join(this.folder, 'repairing');
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

  get applied(): AppliedRecord | undefined {
    return this.#applied.read();
  }

  setHistory(history: EpochHistory): void {
    if (isSame(history, this.#history)) return;
    this.#historyFile.replace(history);
    this.#history = history;
  }

  /** Records that SQLite's log holds the state at the position up to `cursor`. */
  recordApplied(role: Role, cursor: WalCursor): void {
    this.#applied.write({ txid: this.log.lastTxid, role, cursor });
  }

  /** Logs what applications have committed. */
  append(change: PageChange, timestampMs: number): void {
    const chunks: Uint8Array[] = [];
    const header = this.#headerOf(change, timestampMs);
    const encoder = new LtxEncoder(header, (chunk) => chunks.push(chunk));
    for (const { pgno, data } of change.pages) {
      this.table.setPage(pgno, data);
      encoder.page(pgno, data);
    }
    this.table.truncate(change.pageCount);
    const checksum = this.table.rollingChecksum;
    encoder.finish(checksum);
    this.log.append(header.minTxid, header.maxTxid, chunks, timestampMs);
    this.#checksum = checksum;
  }

  /** Logs a file that another node wrote, and enters its pages. */
  appendFile(bytes: Uint8Array, header: LtxHeader, pages: readonly LtxPage[]): void {
    this.log.append(header.minTxid, header.maxTxid, [bytes], header.timestampMs);
    this.enter(pages, header.commit);
  }

  /** Enters pages into the table alone. */
  enter(pages: Iterable<LtxPage>, pageCount: number): void {
    for (const { pgno, data } of pages) this.table.setPage(pgno, data);
    this.table.truncate(pageCount);
    this.#checksum = this.table.rollingChecksum;
  }

  /** Enters what the log of transactions holds beyond the table, after a crash. */
  replayIntoTable(): void {
    for (const entry of this.log.entries()) {
      if (entry.maxTxid <= this.table.txid) continue;
      const { pages, header } = decodeLtx(this.log.readFile(entry));
      this.enter(pages, header.commit);
    }
  }

  /** Logs pages that changed while nobody was watching, as one transaction. */
  appendGap(pages: Iterable<LtxPage>, pageCount: number, timestampMs: number): void {
    const nowhere = { pageSize: this.table.pageSize, salt1: 0, salt2: 0, isBigEndianChecksum: false };
    const cursor = { generation: nowhere, position: { frame: -1, s0: 0, s1: 0 } };
    this.append({ transactions: 1, pageCount, pages, from: cursor, to: cursor }, timestampMs);
  }

  /** As `appendGap` without a file: whoever is behind this compares pages. */
  rebase(pages: Iterable<LtxPage>, pageCount: number): void {
    this.enter(pages, pageCount);
    this.log.reset(this.log.lastTxid + 1);
  }

  /** From here on until `adopt`, the table is not that of the position. */
  markRepairing(): void {
    if (!this.isRepairing) writeFileSync(this.#repairMark, '', { flush: true });
  }

  /** Whether a repair was cut off. */
  get isRepairing(): boolean {
    return existsSync(this.#repairMark);
  }

  /** The database has been brought to a state of another node by its pages. */
  adopt(txid: number, history: EpochHistory): void {
    this.log.reset(txid);
    this.setHistory(this.#history.adopt(history, txid));
    this.#checksum = this.table.rollingChecksum;
    rmSync(this.#repairMark, { force: true });
  }

  /** Forgets which transactions the pages stand for: nothing is shared with anybody. */
  forgetPosition(): void {
    this.log.reset(0);
    this.setHistory(this.#history.truncateAfter(0));
    this.#checksum = this.table.rollingChecksum;
    rmSync(this.#repairMark, { force: true });
  }

  /** The database itself now holds, on the disk, everything up to the position. */
  markSynced(): void {
    this.table.markSynced(this.log.lastTxid);
  }

  close(): void {
    this.log.close();
    this.#applied.close();
    this.table.close();
  }

  #headerOf(change: PageChange, timestampMs: number): LtxHeader {
    const { from, to } = change;
    const { pageSize, salt1, salt2 } = to.generation;
    const isFromLog = from.position.frame >= 0;
    const start = isFromLog ? frameOffset(from.position.frame + 1, pageSize) : 0;
    const end = isFromLog ? frameOffset(to.position.frame + 1, pageSize) : 0;
    return {
      pageSize,
      commit: change.pageCount,
      minTxid: this.log.lastTxid + 1,
      maxTxid: this.log.lastTxid + change.transactions,
      timestampMs,
      preApplyChecksum: this.#checksum === 0n ? EMPTY_ROLLING_CHECKSUM : this.#checksum,
      walOffsetBytes: start,
      walSizeBytes: end - start,
      walSalt1: salt1,
      walSalt2: salt2,
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
