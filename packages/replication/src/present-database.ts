import { join } from 'node:path';
import type { Clock } from '@tandem/base';
import { CheckpointedFile } from './checkpointed-file.ts';
import { DatabaseState } from './database-state.ts';
import { FileIdentityRecord } from './file-identity.ts';
import type { NodeCounters } from './node-counters.ts';
import { setForeignWriteAside } from './foreign-write.ts';
import { OpenDatabase } from './open-database.ts';
import { withView } from './page-comparison.ts';
import type { Quarantine } from './quarantine.ts';
import { beginState, settle, type Settlement } from './settle.ts';
import { TransactionCapture } from './transaction-capture.ts';
import { cursorOf } from './wal-cursor.ts';
import { WriteLock } from './write-lock.ts';

export interface PresentDatabaseOptions {
  /** Relative path with '/' between folders. */
  readonly name: string;
  readonly path: string;
  /** Where this node keeps what belongs to this database. */
  readonly stateFolder: string;
  readonly quarantine: Quarantine;
  readonly clock: Clock;
  /** How long to wait for locks of applications. */
  readonly busyTimeoutMs: number;
  /** Whether the log of transactions is made durable, or that is left to the system. */
  readonly sync: 'none' | 'full';
  /** Whether other code of this process opens the database through SQLite (R1). */
  readonly isSharedInProcess?: boolean;
  readonly counters?: NodeCounters;
  readonly onCaptured?: (transactions: number, timestampMs: number) => void;
  /** Told of the database's first page as it was found, and each time a capture has changed it. */
  readonly onFirstPage?: (page: Uint8Array) => void;
}

/** A database that is there: its file and what is kept beside it. */
export interface PresentDatabase {
  readonly open: OpenDatabase;
  readonly state: DatabaseState;
  readonly identity: FileIdentityRecord;
  readonly checkpointed: CheckpointedFile;
  readonly settlement: Settlement;
  /** SQLite's write lock, so that nobody has written since. */
  readonly lock: WriteLock;
}

/**
 * Opens a database, brings it and its state together, and captures what applications have committed
 * since: all that the database holds is then in the log of transactions, and no program can write.
 *
 * @throws ReplicationError; everything is closed again then.
 */
export function openPresentDatabase(options: PresentDatabaseOptions): PresentDatabase {
  const { path, stateFolder, busyTimeoutMs, sync } = options;
  const isSharedInProcess = options.isSharedInProcess ?? false;
  const open = OpenDatabase.open(path, { busyTimeoutMs, isSharedInProcess });
  let lock: WriteLock | undefined;
  let state: DatabaseState | undefined;
  let checkpointed: CheckpointedFile | undefined;
  try {
    lock = WriteLock.take(open);
    const isKnown = DatabaseState.exists(stateFolder);
    state = isKnown
      ? DatabaseState.open(stateFolder, open.pageSize, sync)
      : DatabaseState.create(stateFolder, open.pageSize, sync);
    const identity = new FileIdentityRecord(join(stateFolder, 'identity.json'), path);
    checkpointed = new CheckpointedFile(join(stateFolder, 'checkpointed'));
    const heldTxid = identity.heldTxid() ?? checkpointed.heldTxid(open);
    const context = { heldTxid, nowMs: options.clock.nowMs(), lock };
    const settlement = isKnown ? settle(open, state, context) : beginState(open, state);
    const present = { open, state, identity, checkpointed, settlement, lock };
    finish(present, options);
    return present;
  } catch (error) {
    lock?.release();
    open.close();
    state?.close();
    checkpointed?.close();
    throw error;
  }
}

function finish(present: PresentDatabase, options: PresentDatabaseOptions): void {
  const { open, state, identity, settlement } = present;
  if (settlement.foreignPages.length > 0) setForeignWriteAside({ ...options, open, state });
  if (settlement.gapPages > 0) options.counters?.add('gaps');
  showFirstPage(present, options);
  const capture = new TransactionCapture(open, state, settlement.cursor, options);
  capture.capture();
  capture.flush();
  const header = open.readWalIndexHeader();
  const role = state.applied?.role ?? 'replica';
  state.recordApplied(role, cursorOf(header));
  if (header.mxFrame === 0) identity.write(state.log.lastTxid);
}

function showFirstPage(
  { open, state }: PresentDatabase,
  { onFirstPage }: PresentDatabaseOptions,
): void {
  if (onFirstPage === undefined || state.table.pageCount === 0) return;
  const page = new Uint8Array(state.table.pageSize);
  withView(open, state, (view) => view.readPage(1, page));
  onFirstPage(page);
}
