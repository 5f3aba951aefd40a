import { assert } from '@tandem/base';
import { ReplicationError } from './replication-error.ts';

/** The name of a state of a database: who was primary when its last transaction was made, and which. */
export interface Position {
  readonly epoch: number;
  readonly txid: number;
}

/** From this transaction on, the primary of this epoch wrote. */
export interface EpochStart {
  readonly epoch: number;
  readonly firstTxid: number;
}

/** What a history is kept and sent as. */
export interface EpochHistoryJson {
  readonly highestEpoch: number;
  readonly starts: readonly EpochStart[];
}

/** Above this many, the oldest are forgotten. A node that fell back that far takes a snapshot. */
const STARTS_MAX = 4096;
const TEXT = /^(?<epoch>[0-9a-f]{16})\.(?<txid>[0-9a-f]{16})$/;
const DIGITS = 16;

/**
 * Which primary wrote which transactions of a database. Values do not change: `begin`, `adopt` and
 * the others return a new history, which the caller stores.
 *
 * An epoch is given to one node once, and that node begins it after the history it has. Hence two
 * histories with the same start of an epoch agree on all before it, and the last start they share
 * says how far two nodes hold the same transactions.
 *
 * 1. Starts rise in epoch and in transaction. An epoch in which nothing was written disappears when
 *    the next begins at the same transaction.
 * 2. `highestEpoch` is at least that of every start, and never goes down: truncation takes away what
 *    an epoch wrote, not the knowledge that it was.
 */
export class EpochHistory {
  static readonly EMPTY = new EpochHistory([], 0);

  readonly starts: readonly EpochStart[];
  /** The highest epoch this node has heard of. Whatever comes with a lower one is refused. */
  readonly highestEpoch: number;

  private constructor(starts: readonly EpochStart[], highestEpoch: number) {
    this.starts = starts.slice(-STARTS_MAX);
    this.highestEpoch = highestEpoch;
  }

  /** The epoch that wrote `txid`; 0 for one before all that is known, 0 itself included. */
  epochOf(txid: number): number {
    return this.starts.findLast(({ firstTxid }) => firstTxid <= txid)?.epoch ?? 0;
  }

  /** The name of the state after `txid`. */
  positionOf(txid: number): Position {
    return { epoch: this.epochOf(txid), txid };
  }

  /**
   * This node is primary of `epoch` and writes from `firstTxid` on.
   *
   * @throws ReplicationError `epoch_outdated` when that epoch or a higher one has been before.
   */
  begin(epoch: number, firstTxid: number): EpochHistory {
    assert(Number.isSafeInteger(epoch) && epoch > 0, 'an epoch is a whole number above 0');
    assert(Number.isSafeInteger(firstTxid) && firstTxid > 0, 'an epoch begins with a transaction');
    if (epoch <= this.highestEpoch) refuse(epoch, this.highestEpoch);
    const lastStart = this.starts.at(-1)?.firstTxid ?? 0;
    assert(firstTxid >= lastStart, 'an epoch begins after what is known of the ones before');
    const before = this.starts.filter((start) => start.firstTxid < firstTxid);
    return new EpochHistory([...before, { epoch, firstTxid }], epoch);
  }

  /**
   * Somebody, such as the lease, names `epoch`: nothing lower is listened to from now on.
   *
   * @throws ReplicationError `epoch_outdated` when a higher one has been heard of.
   */
  observe(epoch: number): EpochHistory {
    assert(Number.isSafeInteger(epoch) && epoch >= 0, 'an epoch is a whole number');
    if (epoch < this.highestEpoch) refuse(epoch, this.highestEpoch);
    return epoch === this.highestEpoch ? this : new EpochHistory(this.starts, epoch);
  }

  /**
   * The last transaction that this node, which has all through `ownLastTxid`, shares with one that
   * has `other` and all through `otherLastTxid`; 0 when there is none, or none that is known.
   */
  lastShared(other: EpochHistory, otherLastTxid: number, ownLastTxid: number): number {
    const index = this.starts.findLastIndex((start) => other.#has(start));
    const shared = this.starts[index];
    if (shared === undefined) return 0;
    const otherIndex = other.starts.findIndex(({ epoch }) => epoch === shared.epoch);
    const nextTxid = this.starts[index + 1]?.firstTxid ?? Infinity;
    const otherNextTxid = other.starts[otherIndex + 1]?.firstTxid ?? Infinity;
    return Math.min(ownLastTxid, otherLastTxid, nextTxid - 1, otherNextTxid - 1);
  }

  /** The transactions after `txid` are gone from this node. */
  truncateAfter(txid: number): EpochHistory {
    const starts = this.starts.filter(({ firstTxid }) => firstTxid <= txid);
    return new EpochHistory(starts, this.highestEpoch);
  }

  /**
   * This node now has what `other` has through `throughTxid`, and nothing after it. The epoch that
   * will write the transaction after that is taken over too.
   *
   * @throws ReplicationError `epoch_outdated` when this node has heard of a higher epoch than `other`.
   */
  adopt(other: EpochHistory, throughTxid: number): EpochHistory {
    if (other.highestEpoch < this.highestEpoch) refuse(other.highestEpoch, this.highestEpoch);
    const starts = other.starts.filter(({ firstTxid }) => firstTxid <= throughTxid + 1);
    return new EpochHistory(starts, other.highestEpoch);
  }

  toJSON(): EpochHistoryJson {
    return { highestEpoch: this.highestEpoch, starts: this.starts };
  }

  /**
   * The reverse of `toJSON`, for what comes from a file or another node.
   *
   * @throws ReplicationError `state_damaged`.
   */
  static parse(value: unknown): EpochHistory {
    if (typeof value !== 'object' || value === null) damaged('it is no object');
    const { highestEpoch, starts } = value as { highestEpoch?: unknown; starts?: unknown };
    if (!isWhole(highestEpoch)) damaged('the highest epoch is no whole number');
    if (!Array.isArray(starts) || starts.length > STARTS_MAX) damaged('it has no list of epochs');
    const parsed = starts.map(parseStart);
    for (const [index, start] of parsed.entries()) {
      const before = parsed[index - 1] ?? { epoch: 0, firstTxid: 0 };
      const rises = start.epoch > before.epoch && start.firstTxid > before.firstTxid;
      if (!rises) damaged('its epochs do not rise');
    }
    if ((parsed.at(-1)?.epoch ?? 0) > highestEpoch) damaged('an epoch is above the highest');
    return new EpochHistory(parsed, highestEpoch);
  }

  #has({ epoch, firstTxid }: EpochStart): boolean {
    return this.starts.some((start) => start.epoch === epoch && start.firstTxid === firstTxid);
  }
}

/** Below 0 when `a` comes before `b`, above 0 when after, 0 when they are the same. */
export function comparePositions(a: Position, b: Position): number {
  return a.epoch - b.epoch || a.txid - b.txid;
}

/** `EPOCH.TXID`, each 16 hexadecimal digits: sorts as positions do. */
export function formatPosition({ epoch, txid }: Position): string {
  return `${formatNumber(epoch)}.${formatNumber(txid)}`;
}

/**
 * The reverse of `formatPosition`.
 *
 * @throws ReplicationError `bad_position`.
 */
export function parsePosition(text: string): Position {
  const position = tryParsePosition(text);
  if (position !== undefined) return position;
  throw new ReplicationError('bad_position', `'${text.slice(0, 40)}' is not a position`, {
    hint: 'A position is an epoch and a txid with a point between, each 16 hexadecimal digits.',
  });
}

/** As `parsePosition`, with undefined instead of an error. */
export function tryParsePosition(text: string): Position | undefined {
  const groups = TEXT.exec(text)?.groups;
  const epoch = Number.parseInt(groups?.['epoch'] ?? '', 16);
  const txid = Number.parseInt(groups?.['txid'] ?? '', 16);
  return isWhole(epoch) && isWhole(txid) ? { epoch, txid } : undefined;
}

function formatNumber(value: number): string {
  assert(isWhole(value), 'an epoch and a txid are whole numbers');
  return value.toString(16).padStart(DIGITS, '0');
}

function parseStart(value: unknown): EpochStart {
  if (typeof value !== 'object' || value === null) damaged('an epoch is no object');
  const { epoch, firstTxid } = value as { epoch?: unknown; firstTxid?: unknown };
  if (!isWhole(epoch) || !isWhole(firstTxid)) damaged('an epoch has no whole numbers');
  return { epoch, firstTxid };
}

function isWhole(value: unknown): value is number {
  return Number.isSafeInteger(value) && typeof value === 'number' && value >= 0;
}

function damaged(why: string): never {
  throw new ReplicationError('state_damaged', `The list of epochs is damaged: ${why}`, {
    hint: 'Move the state of this database away; the node then takes it anew from the primary.',
  });
}

function refuse(epoch: number, highestEpoch: number): never {
  throw new ReplicationError(
    'epoch_outdated',
    `Epoch ${epoch} comes after epoch ${highestEpoch} was seen`,
    {
      hint:
        'A node that is no longer primary still speaks, or the lease store was reset; ' +
        `in the latter case let its next epoch be above ${highestEpoch}.`,
    },
  );
}
