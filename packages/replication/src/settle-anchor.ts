import { readSync } from 'node:fs';
import { decodeLtx } from '@tandem/ltx';
import {
  FRAME_HEADER_BYTES,
  frameOffset,
  parseFrameHeader,
  type WalIndexHeader,
} from '@tandem/sqlite-format';
import type { DatabaseState } from './database-state.ts';
import type { LogEntry } from './ltx-log.ts';
import type { OpenDatabase } from './open-database.ts';
import { WalCapture } from './wal-capture.ts';
import { cursorOf, isSameGeneration, type WalCursor } from './wal-cursor.ts';

/** A place in SQLite's log of which is known what the database is there. */
interface Anchor {
  readonly txid: number;
  readonly cursor: WalCursor;
}

/** Where the database stands in the log of transactions. */
export interface Place {
  /** What follows in SQLite's log was written by applications and has not been captured. */
  readonly cursor: WalCursor;
  /** Files of the log that are to be applied, after all that SQLite's log holds. */
  readonly missing: readonly LogEntry[];
}

/**
 * Finds the end of the position in SQLite's log, going by the two records of it: the one that is
 * written after each transaction, and that of a database file which held everything by itself.
 * Undefined when neither leads there.
 */
export function locate(
  open: OpenDatabase,
  state: DatabaseState,
  heldTxid: number | undefined,
): Place | undefined {
  const header = open.readWalIndexHeader();
  for (const anchor of anchorsOf(open, state, header, heldTxid)) {
    const later = state.entriesAfter(anchor.txid);
    const place = later === undefined ? undefined : follow(open, state, anchor, later);
    if (place !== undefined) return place;
  }
  return undefined;
}

/**
 * Whether the database is known to be at a transaction of which the log has lost the file, as it can
 * when the power goes and SQLite's log was stored before.
 */
export function isAheadOfLog(open: OpenDatabase, { applied, log }: DatabaseState): boolean {
  if (applied === undefined || applied.txid <= log.lastTxid) return false;
  const header = open.readWalIndexHeader();
  const { cursor } = applied;
  return header.mxFrame === cursor.position.frame && isPassed(open, header, cursor);
}

function anchorsOf(
  open: OpenDatabase,
  { applied }: DatabaseState,
  header: WalIndexHeader,
  heldTxid: number | undefined,
): Anchor[] {
  const anchors: Anchor[] = [];
  if (applied !== undefined && isPassed(open, header, applied.cursor)) anchors.push(applied);
  if (heldTxid !== undefined) {
    // The file is as it was, so everything in the log came after.
    const { generation } = cursorOf(header);
    anchors.push({ txid: heldTxid, cursor: { generation, position: { frame: 0, s0: 0, s1: 0 } } });
  }
  return anchors;
}

/** Whether SQLite's log, as it is, begins with all that led to the cursor. */
function isPassed(
  open: OpenDatabase,
  header: WalIndexHeader,
  { generation, position }: WalCursor,
): boolean {
  // Salts of 0 are those of every log that was never written.
  const isNamed = generation.salt1 !== 0 || generation.salt2 !== 0;
  if (!isNamed || !isSameGeneration(generation, header)) return false;
  if (position.frame > header.mxFrame) return false;
  if (position.frame === 0) return true;
  const bytes = new Uint8Array(FRAME_HEADER_BYTES);
  readSync(open.walFd, bytes, 0, bytes.length, frameOffset(position.frame, header.pageSize));
  // The checksum runs on from the first frame.
  const { checksum1, checksum2 } = parseFrameHeader(bytes, 0);
  return checksum1 === position.s0 && checksum2 === position.s1;
}

/** Goes on from the anchor, over what is both in SQLite's log and in the log of transactions. */
function follow(
  open: OpenDatabase,
  state: DatabaseState,
  { cursor }: Anchor,
  later: readonly LogEntry[],
): Place | undefined {
  const isPrimary = state.applied?.role === 'primary';
  const { mxFrame } = open.readWalIndexHeader();
  if (mxFrame === cursor.position.frame) return { cursor, missing: later };
  // A replica commits one file at a time, applications one transaction at a time.
  const commits = later.reduce((sum, { minTxid, maxTxid }) => sum + maxTxid - minTxid + 1, 0);
  const passed = passedOver(open, state, cursor, isPrimary ? commits : later.length);
  if (passed === undefined || !holdsAll(state, later, passed.pgnos)) return undefined;
  const isAtEnd = passed.cursor.position.frame === mxFrame;
  return isPrimary || isAtEnd ? { cursor: passed.cursor, missing: [] } : undefined;
}

/** The place so many commits on, if all pages up to there are those of the position. */
function passedOver(
  open: OpenDatabase,
  { table }: DatabaseState,
  cursor: WalCursor,
  commits: number,
): { readonly cursor: WalCursor; readonly pgnos: ReadonlySet<number> } | undefined {
  const capture = new WalCapture(open, cursor);
  const pgnos = new Set<number>();
  let [count, pageCount] = [0, table.pageCount];
  const frames = new Map<number, number>();
  while (count < commits) {
    const change = capture.read(commits - count);
    if (change === undefined) return undefined;
    for (const pgno of change.pgnos) frames.set(pgno, change.frames.get(pgno) ?? 0);
    count += change.transactions;
    ({ pageCount } = change);
    capture.accept(change);
  }
  for (const [pgno, frame] of frames) {
    if (pgno > pageCount) continue;
    if (!table.matches(pgno, capture.page(frame))) return undefined;
    pgnos.add(pgno);
  }
  return pageCount === table.pageCount ? { cursor: capture.cursor, pgnos } : undefined;
}

function holdsAll(
  { log, table }: DatabaseState,
  entries: readonly LogEntry[],
  pgnos: ReadonlySet<number>,
): boolean {
  return entries.every((entry) =>
    decodeLtx(log.readFile(entry)).pages.every(
      ({ pgno }) => pgno > table.pageCount || pgnos.has(pgno),
    ),
  );
}
