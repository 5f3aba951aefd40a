import type { Clock } from '@tandem/base';
import { encodeLtx, type LtxHeader } from '@tandem/ltx';
import type { ConsistentView } from './consistent-view.ts';
import type { DatabaseState } from './database-state.ts';
import type { NodeCounters } from './node-counters.ts';
import type { OpenDatabase } from './open-database.ts';
import { differingPages, enterAll, pagesOf, withView } from './page-comparison.ts';
import type { Quarantine, QuarantineCase } from './quarantine.ts';

const REASON = 'Another program wrote this to a replica.';
/** So many bytes of pages go into one file. */
const FILE_BYTES = 64 << 20;

export interface ForeignWriteContext {
  /** The database's name. */
  readonly name: string;
  readonly open: OpenDatabase;
  readonly state: DatabaseState;
  readonly quarantine: Quarantine;
  readonly clock: Clock;
  readonly counters?: NodeCounters;
}

/**
 * R5. Keeps what another program wrote to a replica, as LTX files of the pages that differ, and
 * forgets the position: the primary's pages are then fetched in the place of those. Undefined, and
 * nothing is done, when no page differs. The caller holds SQLite's write lock.
 */
export function setForeignWriteAside(context: ForeignWriteContext): QuarantineCase | undefined {
  const { open, state } = context;
  const aside = withView(open, state, (view) => {
    const pgnos = differingPages(view, state.table);
    const isSame = pgnos.length === 0 && view.pageCount === state.table.pageCount;
    return isSame ? undefined : keep(context, view, pgnos);
  });
  if (aside === undefined) return undefined;
  context.counters?.add('foreignWrites');
  enterAll(open, state);
  state.forgetPosition();
  return aside;
}

function keep(
  { name, state, quarantine, clock }: ForeignWriteContext,
  view: ConsistentView,
  pgnos: readonly number[],
): QuarantineCase {
  const { epoch, txid } = state.position;
  const range = { minTxid: txid + 1, maxTxid: txid + 1 };
  const atMs = clock.nowMs();
  const about = { kind: 'foreign_write', database: name, epoch, ...range } as const;
  const aside = quarantine.open({ ...about, atMs, reason: REASON });
  const pagesPerFile = Math.max(1, Math.floor(FILE_BYTES / view.pageSize));
  for (let from = 0; from < Math.max(1, pgnos.length); from += pagesPerFile) {
    const pages = pagesOf(view, pgnos.slice(from, from + pagesPerFile));
    const bytes = encodeLtx(headerOf(view, txid, atMs), pages, 0n);
    quarantine.writeBytes(aside, `foreign-write-${from / pagesPerFile + 1}.ltx`, bytes);
  }
  return aside;
}

function headerOf(
  { pageSize, pageCount }: ConsistentView,
  txid: number,
  timestampMs: number,
): LtxHeader {
  // A file that begins with transaction 1 would have to hold all pages.
  const next = Math.max(2, txid + 1);
  return {
    pageSize,
    commit: pageCount,
    minTxid: next,
    maxTxid: next,
    timestampMs,
    preApplyChecksum: 0n,
    walOffsetBytes: 0,
    walSizeBytes: 0,
    walSalt1: 0,
    walSalt2: 0,
    nodeId: 0n,
    isChecksummed: false,
  };
}
