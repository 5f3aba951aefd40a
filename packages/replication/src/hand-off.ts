import type { LeaseKeeping } from '@tandem/lease';
import type { DatabaseRoles } from './database-roles.ts';
import type { PrimaryTerm } from './primary-term.ts';
import { handOffFailed, newAndBusy } from './node-refusals.ts';
import type { NodeStreams } from './node-streams.ts';
import { ReplicationError } from './replication-error.ts';
import type { StreamClock } from './stream-source.ts';

export interface HandOffOptions {
  readonly term: PrimaryTerm;
  /** Whether the term goes on. */
  readonly isCurrent: () => boolean;
  /** Whether the lease always stays where it is. */
  readonly isFixed: boolean;
  readonly keeper: LeaseKeeping;
  readonly roles: DatabaseRoles;
  readonly streams: NodeStreams;
  /** A database that cannot be replicated yet. */
  readonly lockedName: string | undefined;
  readonly clock: StreamClock;
  /** Who is to lead; undefined: any that can. */
  readonly successor: string | undefined;
  readonly timeoutMs: number;
  /** The term is over, if it still is this one. */
  readonly onPassed: () => void;
  /** The term goes on: writers may write again. */
  readonly onFailed: () => void;
}

/** Writes that were made wait at most so long for their confirmations. */
const SETTLE_MS_MAX = 1000;

/**
 * Passes the lease: writers are stopped, writes under way are confirmed, a successor confirms that it
 * holds everything, then it has the lease reserved.
 *
 * @throws ReplicationError `hand_off_failed`, `not_primary`, LeaseError `lease_fixed`.
 */
export async function handOff(options: HandOffOptions): Promise<void> {
  const { term, isCurrent, isFixed, keeper, streams, lockedName, successor } = options;
  if (lockedName !== undefined) throw handOffFailed(newAndBusy(lockedName));
  const successors = successor === undefined ? streams.successors : [successor];
  const [first] = successors;
  if (first === undefined) throw handOffFailed('No other node is connected and in step.');
  if (term.isLeaving) throw handOffFailed('Another hand-off is under way.');
  // A fixed lease says so before anything is stopped.
  if (isFixed) await keeper.handOff(first, async () => false);
  term.isLeaving = true;
  try {
    await pass(options, successors);
    if (isCurrent()) options.onPassed();
  } finally {
    term.isLeaving = false;
    if (isCurrent()) options.onFailed();
  }
}

async function pass(options: HandOffOptions, successors: readonly string[]): Promise<void> {
  const { term, isCurrent, keeper, roles, streams, clock, timeoutMs } = options;
  const endMs = clock.monotonicMs() + timeoutMs;
  const leftMs = (): number => Math.max(1, endMs - clock.monotonicMs());
  await roles.fenceWithin(leftMs() / 2);
  await settled(term, clock, Math.min(leftMs() / 2, SETTLE_MS_MAX));
  const problems: string[] = [];
  for (const successor of successors) {
    if (!isCurrent()) break;
    const hasPassed = await keeper.handOff(successor, async () => {
      try {
        await streams.server.handOff(successor, { timeoutMs: leftMs() });
        return isCurrent();
      } catch (error) {
        problems.push(`${successor}: ${error instanceof Error ? error.message : String(error)}`);
        return false;
      }
    });
    if (hasPassed) return;
  }
  if (!isCurrent()) throw lost();
  throw new ReplicationError('hand_off_failed', problems.join(' '), {
    retryable: true,
    hint: 'This node stays primary. Try again, or name another node.',
  });
}

async function settled(term: PrimaryTerm, clock: StreamClock, waitMs: number): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const cancel = clock.after(waitMs, resolve);
  term.whenSettled(resolve);
  await promise;
  cancel();
}

function lost(): ReplicationError {
  return new ReplicationError('not_primary', 'The lease was lost during the hand-off.', {
    retryable: true,
    hint: 'Ask again who is primary; another node may be.',
  });
}
