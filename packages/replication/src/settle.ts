import { decodeLtx } from '@tandem/ltx';
import type { DatabaseState } from './database-state.ts';
import type { LogEntry } from './ltx-log.ts';
import type { OpenDatabase } from './open-database.ts';
import { checksumOf, differingPages, enterAll, pagesOf, withView } from './page-comparison.ts';
import { isAheadOfLog, locate } from './settle-anchor.ts';
import { WalAppender } from './wal-appender.ts';
import { cursorOf, type WalCursor } from './wal-cursor.ts';
import type { WriteLock } from './write-lock.ts';

/** What was found at the start. */
export interface Settlement {
  /** Where in SQLite's log the state at the position ends; what follows is yet to be captured. */
  readonly cursor: WalCursor;
  /** Files of the log of transactions that were applied once more. */
  readonly appliedAgain: number;
  /** Pages of a primary that had changed unseen; they have become one transaction. */
  readonly gapPages: number;
  /** Pages of a replica that another program has changed; they are to be set aside. */
  readonly foreignPages: readonly number[];
}

export interface SettleContext {
  /** The state that the database file alone holds, if it is one that was recorded. */
  readonly heldTxid: number | undefined;
  readonly nowMs: number;
  /** Held throughout, so that nobody writes meanwhile. */
  readonly lock: WriteLock;
}

/** The state of a database that this node sees for the first time: its pages are transaction 1. */
export function beginState(open: OpenDatabase, state: DatabaseState): Settlement {
  enterAll(open, state);
  state.rebase();
  return settled(open);
}

/**
 * R7. Brings database and log of transactions to one state at the start, whatever happened before: a
 * log of transactions that is ahead is applied once more, a database that is ahead is captured. What
 * SQLite's log says of itself is believed as far as its checksums go; where it does not reach, pages
 * are compared. Nothing is assumed unchanged because of a size or a time while that log has frames.
 */
export function settle(
  open: OpenDatabase,
  state: DatabaseState,
  context: SettleContext,
): Settlement {
  if (isAheadOfLog(open, state)) {
    enterAll(open, state);
    state.goOnAfter(state.applied?.txid ?? 0);
    return settled(open);
  }
  const place = state.isTableTrusted ? locate(open, state, context.heldTxid) : undefined;
  if (place === undefined) return compare(open, state, context);
  const appliedAgain = applyAgain(open, state, place.missing, context.lock);
  return appliedAgain === 0
    ? { ...settled(open), cursor: place.cursor }
    : settled(open, { appliedAgain });
}

/** Everything in SQLite's log belongs to the position, or is about to. */
function settled(open: OpenDatabase, found: Partial<Settlement> = {}): Settlement {
  const cursor = cursorOf(open.readWalIndexHeader());
  return { cursor, appliedAgain: 0, gapPages: 0, foreignPages: [], ...found };
}

/**
 * Finds by its pages what the database is: the position, an earlier state of the log, or neither.
 *
 * A primary's database that is an earlier state has lost what the disk had not stored when the power
 * went: the log makes up for it. One that is older than what it once held durably was put in place by
 * somebody, who wants it as it is.
 */
function compare(open: OpenDatabase, state: DatabaseState, context: SettleContext): Settlement {
  const { table, log } = state;
  const durableTxid = table.txid;
  const role = state.applied?.role;
  const isTrusted = state.isTableTrusted;
  if (!isTrusted) enterAll(open, state);
  const { pgnos, pageCount, checksum } = withView(open, state, (view) => {
    const differing = isTrusted ? differingPages(view, table) : [];
    return {
      pgnos: differing,
      pageCount: view.pageCount,
      checksum: checksumOf(view, table, differing),
    };
  });
  if (isTrusted && pgnos.length === 0 && pageCount === table.pageCount) return settled(open);
  const held = stateWith(state, checksum);
  if (held !== undefined && (role !== 'primary' || held >= durableTxid || held === log.lastTxid)) {
    const missing = state.entriesAfter(held) ?? [];
    return settled(open, { appliedAgain: applyAgain(open, state, missing, context.lock) });
  }
  if (role !== 'primary') {
    if (!isTrusted) state.forgetPosition();
    return settled(open, { foreignPages: pgnos });
  }
  if (isTrusted) appendGap(open, state, pgnos, context.nowMs);
  else state.rebase();
  return settled(open, { gapPages: isTrusted ? pgnos.length : pageCount });
}

/** The newest transaction of the log after which the database had that checksum. */
function stateWith(state: DatabaseState, checksum: bigint): number | undefined {
  const { log, table } = state;
  const found = log.entries().findLast((entry) => log.checksumAfter(entry) === checksum);
  if (found !== undefined) return found.maxTxid;
  if (log.baseChecksum === checksum) return log.lastTxid;
  // Where the log begins later than the table, no file ends with the table's transaction.
  const [first] = state.entriesAfter(table.txid) ?? [];
  if (first === undefined) return undefined;
  const { preApplyChecksum } = decodeLtx(log.readFile(first)).header;
  return preApplyChecksum === checksum ? first.minTxid - 1 : undefined;
}

/** Gives the database what files of the log hold beyond it; readers see all of it at once. */
function applyAgain(
  open: OpenDatabase,
  state: DatabaseState,
  missing: readonly LogEntry[],
  lock: WriteLock,
): number {
  if (missing.length === 0) return 0;
  const appender = new WalAppender(open, state.table.pageSize, lock);
  try {
    let pageCount = 0;
    for (const entry of missing) {
      const { pages, header } = decodeLtx(state.log.readFile(entry));
      for (const { pgno, data } of pages) appender.write(pgno, data);
      pageCount = header.commit;
      if (!state.isTableTrusted) state.enter(pages, pageCount);
    }
    appender.commit(pageCount, false);
  } finally {
    appender.close();
  }
  return missing.length;
}

/** Takes what changed unseen as one transaction. */
function appendGap(
  open: OpenDatabase,
  state: DatabaseState,
  pgnos: readonly number[],
  nowMs: number,
): void {
  withView(open, state, (view) => {
    const { pageCount } = view;
    state.append({ transactions: 1, pageCount, pages: pagesOf(view, pgnos) }, nowMs);
  });
  state.log.flush();
}
