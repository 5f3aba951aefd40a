import { readSync } from 'node:fs';
import { decodeLtx, type LtxPage } from '@tandem/ltx';
import {
  FRAME_HEADER_BYTES,
  frameOffset,
  parseFrameHeader,
  type WalIndexHeader,
} from '@tandem/sqlite-format';
import { ConsistentView } from './consistent-view.ts';
import type { DatabaseState } from './database-state.ts';
import type { OpenDatabase } from './open-database.ts';
import type { PageTable } from './page-table.ts';
import { WalAppender } from './wal-appender.ts';
import { cursorOf, isSameGeneration, type WalCursor } from './wal-cursor.ts';
import type { WriteLock } from './write-lock.ts';

/** More than this is not logged: replicas compare their pages instead. */
const GAP_BYTES_MAX = 64 << 20;

/** What was found at the start. */
export interface Settlement {
  /** Where in SQLite's log the state at the position ends; what follows is yet to be captured. */
  readonly cursor: WalCursor;
  /** Transactions of the log that were applied once more. */
  readonly appliedAgain: number;
  /** Pages that had changed unseen; they have become one transaction. */
  readonly gapPages: number;
}

/** The state of a database that this node sees for the first time: its pages are transaction 1. */
export function beginState(open: OpenDatabase, state: DatabaseState): Settlement {
  enterAll(open, state);
  state.rebase([], open.pageCount());
  return { cursor: here(open), appliedAgain: 0, gapPages: 0 };
}

/**
 * R7. Brings database and log of transactions to one state at the start, whatever happened before:
 * a log of transactions that is ahead is applied once more, a database that is ahead is captured.
 * Nothing is assumed unchanged because of a size or a time while SQLite's log has frames to tell.
 */
export function settle(open: OpenDatabase, state: DatabaseState, context: SettleContext): Settlement {
  state.replayIntoTable();
  if (state.isRepairing) {
    enterAll(open, state);
    state.forgetPosition();
    return { cursor: here(open), appliedAgain: 0, gapPages: 0 };
  }
  const header = open.readWalIndexHeader();
  const known = knownEnd(open, state, header);
  if (known !== undefined && known.position.frame <= header.mxFrame) {
    return { cursor: known, appliedAgain: 0, gapPages: 0 };
  }
  const { applied } = state;
  const hasLostFrames =
    applied !== undefined &&
    isSameGeneration(applied.cursor.generation, header) &&
    applied.cursor.position.frame > header.mxFrame;
  if (known === undefined && !hasLostFrames && context.isUntouched) {
    return { cursor: here(open), appliedAgain: 0, gapPages: 0 };
  }
  // A replica's pages come from nowhere but its log; those of a primary come from applications.
  const mayApply = hasLostFrames || applied?.role === 'replica';
  const appliedAgain = mayApply ? applyAgain(open, state, context.lock) : 0;
  return { cursor: here(open), appliedAgain, gapPages: captureGap(open, state, context) };
}

export interface SettleContext {
  /** Whether the database file is the one this node was the last to close. */
  readonly isUntouched: boolean;
  readonly nowMs: number;
  /** Held throughout, so that nobody writes meanwhile. */
  readonly lock: WriteLock;
}

function here(open: OpenDatabase): WalCursor {
  return cursorOf(open.readWalIndexHeader());
}

/** The end of the newest transaction in SQLite's log, as far as the two records of it tell. */
function knownEnd(
  open: OpenDatabase,
  state: DatabaseState,
  header: WalIndexHeader,
): WalCursor | undefined {
  const { applied, log } = state;
  if (header.mxFrame === 0) return undefined;
  if (applied?.txid === log.lastTxid && isSameGeneration(applied.cursor.generation, header)) {
    return applied.cursor;
  }
  const newest = log.find(log.lastTxid);
  if (newest === undefined || applied?.role !== 'primary') return undefined;
  const ltx = decodeLtx(log.readFile(newest)).header;
  if (!isSameGeneration({ salt1: ltx.walSalt1, salt2: ltx.walSalt2 }, header)) return undefined;
  return cursorAtByte(open, header, ltx.walOffsetBytes + ltx.walSizeBytes);
}

/** The cursor after the frame that ends at that byte; its own header has the running checksum. */
function cursorAtByte(open: OpenDatabase, header: WalIndexHeader, end: number): WalCursor {
  const { pageSize } = header;
  const frame = Math.round((end - frameOffset(1, pageSize)) / (FRAME_HEADER_BYTES + pageSize));
  const bytes = new Uint8Array(FRAME_HEADER_BYTES);
  readSync(open.walFd, bytes, 0, bytes.length, frameOffset(frame, pageSize));
  const { checksum1, checksum2 } = parseFrameHeader(bytes, 0);
  return {
    generation: cursorOf(header).generation,
    position: { frame, s0: checksum1, s1: checksum2 },
  };
}

/** Applies all that the log of transactions holds since the database was last synced. */
function applyAgain(open: OpenDatabase, state: DatabaseState, lock: WriteLock): number {
  const entries = state.log.entries().filter(({ maxTxid }) => maxTxid > state.table.txid);
  if (entries.length === 0) return 0;
  const appender = new WalAppender(open, state.table.pageSize, lock);
  try {
    for (const entry of entries) {
      const { pages, header } = decodeLtx(state.log.readFile(entry));
      for (const { pgno, data } of pages) appender.write(pgno, data);
      appender.commit(header.commit, false);
    }
  } finally {
    appender.close();
  }
  return entries.length;
}

/** Takes what changed unseen as one transaction, or, when it is much, as a new beginning. */
function captureGap(open: OpenDatabase, state: DatabaseState, { nowMs }: SettleContext): number {
  return withView(open, state, (view) => {
    const pgnos = differingPages(view, state.table);
    if (pgnos.length === 0 && view.pageCount === state.table.pageCount) return 0;
    const pages = pagesOf(view, pgnos);
    const isMuch = pgnos.length * view.pageSize > GAP_BYTES_MAX;
    if (isMuch) state.rebase(pages, view.pageCount);
    else state.appendGap(pages, view.pageCount, nowMs);
    return pgnos.length;
  });
}

/** Makes the table that of the database as it is. */
export function enterAll(open: OpenDatabase, state: DatabaseState): void {
  withView(open, state, (view) =>
    state.enter(pagesOf(view, differingPages(view, state.table)), view.pageCount),
  );
}

function withView<Result>(
  open: OpenDatabase,
  { table: { pageSize } }: DatabaseState,
  use: (view: ConsistentView) => Result,
): Result {
  const view = ConsistentView.open(open, { pageSize, pageCount: open.pageCount() });
  try {
    return use(view);
  } finally {
    view.close();
  }
}

/** The numbers of the pages of the view that are not those of the table. Reads all of it. */
export function differingPages(view: ConsistentView, table: PageTable): number[] {
  const page = new Uint8Array(view.pageSize);
  return [...view.pgnos()].filter((pgno) => {
    view.readPage(pgno, page);
    return !table.matches(pgno, page);
  });
}

function* pagesOf(view: ConsistentView, pgnos: readonly number[]): Generator<LtxPage> {
  const data = new Uint8Array(view.pageSize);
  for (const pgno of pgnos) {
    view.readPage(pgno, data);
    yield { pgno, data };
  }
}
