import type { NodeIdentity } from '@tandem/lease';
import { EpochHistory, type Position } from './epoch-history.ts';
import type { RepairSender } from './repair-sender.ts';
import type { DatabaseHead, StreamMessageOf } from './stream-message.ts';
import type { StreamSource } from './stream-source.ts';

/** What a replica says of one of its databases. */
export interface ReplicaState {
  readonly position: Position;
  readonly history: EpochHistory;
  /** 0: no pages. */
  readonly pageSize: number;
}

/** How a replica's database is brought up to date. */
export type CatchUp =
  /** It has all through this transaction. */
  | { readonly kind: 'follow'; readonly fromTxid: number }
  | { readonly kind: 'repair' }
  | { readonly kind: 'diverged'; readonly sharedTxid: number };

/** A database of the replica as the session sees it. */
export interface FeedStatus {
  readonly name: string;
  readonly state: 'following' | 'repairing';
  /** The last transaction sent. */
  readonly sentTxid: number;
  /** The last one that the replica has confirmed in this session. */
  readonly acknowledged: Position | undefined;
  readonly transactionsBehind: number;
}

export interface PrimarySessionStatus {
  /** Undefined until it has said who it is. */
  readonly node: NodeIdentity | undefined;
  /** Everything there was at the beginning has been sent. */
  readonly isReady: boolean;
  readonly feeds: readonly FeedStatus[];
}

const EMPTY: ReplicaState = {
  position: { epoch: 0, txid: 0 },
  history: EpochHistory.EMPTY,
  pageSize: 0,
};

/** So much of the log is always sent: a repair would cost the replica its own log. */
const LOG_BYTES_MIN = 64 << 20;

/**
 * Decides how a replica that is at `replica` comes to be where the primary's database is. One that
 * shares nothing is sent pages: the log need not begin with the first transaction. So is one that
 * is behind by more of the log than there are pages.
 */
export function planCatchUp(source: StreamSource, replica: ReplicaState): CatchUp {
  const { txid } = source.position();
  const held = replica.position.txid;
  const shared = source.history().lastShared(replica.history, held, txid);
  if (held > shared) return { kind: 'diverged', sharedTxid: shared };
  const isSameSize = replica.pageSize === source.pageSize();
  const isShort = shared > 0 && isLogWorthIt(source.bytesAfter(shared), source);
  return isShort && isSameSize ? { kind: 'follow', fromTxid: shared } : { kind: 'repair' };
}

/** Whether the log is not so much longer than the database that its pages are sooner there. */
function isLogWorthIt(logBytes: number, source: StreamSource): boolean {
  return logBytes <= Math.max(LOG_BYTES_MIN, source.pageCount() * source.pageSize());
}

/** How far one replica has been brought with one database. */
export class DatabaseFeed {
  readonly source: StreamSource;
  readonly plan: CatchUp;
  isRepairing: boolean;
  /** All through this transaction has been sent, or was there. */
  sentTxid: number;
  acknowledged: Position | undefined;
  #sentHistory: EpochHistory | undefined;
  #sentHead = '';

  /** `replica` is undefined when the replica has nothing of it. */
  constructor(source: StreamSource, replica = EMPTY) {
    this.source = source;
    this.plan = planCatchUp(source, replica);
    this.isRepairing = this.plan.kind !== 'follow';
    this.sentTxid = this.plan.kind === 'follow' ? this.plan.fromTxid : 0;
  }

  get status(): FeedStatus {
    const { source, isRepairing, sentTxid, acknowledged } = this;
    return {
      name: source.name,
      state: isRepairing ? 'repairing' : 'following',
      sentTxid,
      acknowledged,
      transactionsBehind: Math.max(0, source.position().txid - (acknowledged?.txid ?? 0)),
    };
  }

  /** What to tell of the database, unless that has been told. */
  newHistory(): StreamMessageOf<'database'> | undefined {
    const { source } = this;
    const history = source.history();
    if (this.#sentHistory === history) return undefined;
    this.#sentHistory = history;
    const { name } = source;
    const pageSize = source.pageSize();
    return { kind: 'database', name, ...source.position(), pageSize, history };
  }

  /** Where the primary is and what is unsent, unless that has been told. */
  newHead(repair: RepairSender | undefined): DatabaseHead | undefined {
    const { source, sentTxid } = this;
    const { name } = source;
    const { epoch, txid } = source.position();
    let unsentBytes = txid > sentTxid ? source.bytesAfter(sentTxid) : 0;
    if (repair?.name === name) ({ unsentBytes } = repair);
    const text = `${epoch} ${txid} ${unsentBytes}`;
    if (text === this.#sentHead) return undefined;
    this.#sentHead = text;
    return { name, epoch, txid, unsentBytes };
  }
}
