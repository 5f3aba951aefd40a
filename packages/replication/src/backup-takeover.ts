import { randomUUID } from 'node:crypto';
import { listLtxFiles, type StoredLtxFile } from '@tandem/storage';
import { BackupCatalogue, findOverlap, newestFile } from './backup-catalogue.ts';
import { BackupError } from './backup-error.ts';
import { readLtxState, withHeaderTimes } from './backup-file-ends.ts';
import type { LtxState } from './backup-state.ts';
import { checkRight } from './backup-right.ts';
import { BackupSession, type BackupContext } from './backup-session.ts';
import { checksumOfView } from './backup-snapshot.ts';
import { logFileBeginning, logFileEnding, type BackupSource } from './backup-source.ts';
import {
  claimTerm,
  generationPrefix,
  pruneTerms,
  readTerms,
  type BackupTerm,
} from './backup-term.ts';

const CLAIMS_MAX = 5;

/** How the files of a generation stand to the database of a primary that takes over. */
export type TakeoverVerdict =
  | { readonly kind: 'empty' }
  /** The database has gone through the state that the files end with. */
  | { readonly kind: 'same'; readonly checksum: bigint }
  | { readonly kind: 'other'; readonly reason: string };

/**
 * Begins to write the backup, or goes on where the last primary was. When the files there are not of
 * this database's history, or it cannot be told, a new generation begins beside them, so that
 * neither history is lost and the two never mix.
 *
 * @param doubt why the present generation cannot be gone on with, if that is known already
 * @throws StorageError, ReplicationError, BackupError `backup_superseded`,
 * `backup_of_other_cluster`, `backup_record_invalid`, `backup_damaged`.
 */
export async function takeOver(
  context: BackupContext,
  signal: AbortSignal,
  doubt?: string,
): Promise<BackupSession> {
  for (let attempt = 0; attempt < CLAIMS_MAX; attempt += 1) {
    const session = await tryTakeOver(context, signal, doubt);
    if (session !== undefined) return session;
  }
  throw new BackupError('backup_superseded', 'Others keep claiming the backup at the same time', {
    retryable: true,
    hint: 'Give each cluster its own address of a backup.',
  });
}

/** Undefined when somebody else claimed the term at the same moment. */
async function tryTakeOver(
  context: BackupContext,
  signal: AbortSignal,
  doubt: string | undefined,
): Promise<BackupSession | undefined> {
  const { store, databasePrefix, source } = context;
  const epoch = source.history().highestEpoch;
  const terms = await readTerms(store, databasePrefix);
  const last = terms.at(-1);
  const generation = last?.generation ?? 1;
  const prefix = generationPrefix(databasePrefix, generation);
  const listed = await listLtxFiles(store, prefix, { times: 'listed' });
  if (last !== undefined) await checkRight(context, last, { listed, signal });
  const captured = listed.filter(({ level }) => level === 0);
  const others = listed.filter(({ level }) => level > 0);
  const files = [...(await withHeaderTimes(store, captured)), ...others];
  const verdict: TakeoverVerdict =
    doubt === undefined
      ? await judgeFiles(context, files, signal)
      : { kind: 'other', reason: doubt };
  const isOurs = last?.epoch === epoch && last.clusterId === context.clusterId;
  if (verdict.kind !== 'other') {
    const checksum = verdict.kind === 'same' ? verdict.checksum : undefined;
    const term = isOurs ? last : nextTerm(context, last, { generation, files });
    const hasClaimed = isOurs || (await claimTerm(store, databasePrefix, term));
    if (!hasClaimed) return undefined;
    if (!isOurs) await pruneTerms(store, databasePrefix, [...terms, term], 1);
    return new BackupSession(context, term, { catalogue: new BackupCatalogue(files), checksum });
  }
  const term = nextTerm(context, last, { generation: generation + 1, files });
  if (!(await claimTerm(store, databasePrefix, term))) return undefined;
  // Whoever gets the number of a term gets a generation that nobody has written to.
  return new BackupSession(context, term, {
    catalogue: new BackupCatalogue([]),
    checksum: undefined,
    reason: verdict.reason,
  });
}

function nextTerm(
  { source, clusterId, clock }: BackupContext,
  last: BackupTerm | undefined,
  { generation, files }: { readonly generation: number; readonly files: readonly StoredLtxFile[] },
): BackupTerm {
  const endTxid = newestFile(files)?.maxTxid ?? 0;
  return {
    number: (last?.number ?? 0) + 1,
    epoch: source.history().highestEpoch,
    clusterId,
    generation,
    startTxid: endTxid,
    sharedTxid:
      last?.generation === generation
        ? last.sharedTxid
        : Math.min(endTxid, sharedWith(source, last, clusterId)),
    startedMs: clock.nowMs(),
    writer: randomUUID(),
  };
}

/** The last transaction that a primary of the epoch of `last` can have written in our history. */
function sharedWith(
  source: BackupSource,
  last: BackupTerm | undefined,
  clusterId: string | undefined,
): number {
  if (last === undefined || last.clusterId !== clusterId) return 0;
  const { starts } = source.history();
  const isKnown = starts.some(({ epoch }) => epoch <= last.epoch);
  const next = starts.find(({ epoch }) => epoch > last.epoch);
  return isKnown && next !== undefined ? next.firstTxid - 1 : 0;
}

async function judgeFiles(
  context: BackupContext,
  files: readonly StoredLtxFile[],
  signal: AbortSignal,
): Promise<TakeoverVerdict> {
  const { source, store } = context;
  const newest = newestFile(files);
  if (newest === undefined) return { kind: 'empty' };
  const overlap = findOverlap(files);
  if (overlap !== undefined) {
    return other(`two files hold transaction ${overlap[1].minTxid}`);
  }
  const { txid } = source.position();
  if (newest.maxTxid > txid) {
    return other(`it holds transaction ${newest.maxTxid}, and this database only ${txid}`);
  }
  try {
    const stored = await readLtxState(store, newest);
    return await judgeEnd(source, stored, signal);
  } catch (error) {
    if (error instanceof BackupError && error.code === 'backup_damaged')
      return other(error.message);
    throw error;
  }
}

/** Compares the state that the backup ends with with that of this database after the same transaction. */
async function judgeEnd(
  source: BackupSource,
  { header, after }: LtxState,
  signal: AbortSignal,
): Promise<TakeoverVerdict> {
  const { maxTxid } = header;
  if (after === undefined) return other('its files carry no checksums of the database');
  const own = await ownState(source, maxTxid, signal);
  if (own === undefined) return other(`the log no longer reaches back to transaction ${maxTxid}`);
  if (own.pageSize !== header.pageSize) return other('its pages have another size');
  if (own.checksum === after) return { kind: 'same', checksum: after };
  return other(`transaction ${maxTxid} led to another state there`);
}

interface OwnState {
  readonly pageSize: number;
  readonly checksum: bigint | undefined;
}

/** This database after `txid`: from the log, or from its pages when it still is in that state. */
async function ownState(
  source: BackupSource,
  txid: number,
  signal: AbortSignal,
): Promise<OwnState | undefined> {
  const ending = logFileEnding(source, txid);
  if (ending !== undefined) return { pageSize: ending.header.pageSize, checksum: ending.after };
  if (source.position().txid === txid) {
    const view = source.openView();
    const { pageSize, position } = view;
    const checksum = await checksumOfView(view, signal);
    if (position.txid === txid) return { pageSize, checksum };
  }
  const next = logFileBeginning(source, txid + 1);
  if (next === undefined) return undefined;
  return { pageSize: next.header.pageSize, checksum: next.before };
}

function other(reason: string): TakeoverVerdict {
  return { kind: 'other', reason };
}
