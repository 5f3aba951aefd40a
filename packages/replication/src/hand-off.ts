import type { LeaseKeeping } from '@tandem/lease';
import type { DatabaseRoles } from './database-roles.ts';
import type { PrimaryTerm } from './primary-term.ts';
import { ReplicationError } from './replication-error.ts';
import type { StreamServer } from './stream-server.ts';
import type { StreamClock } from './stream-source.ts';

export interface HandOffOptions {
  readonly term: PrimaryTerm;
  /** Whether the term goes on. */
  readonly isCurrent: () => boolean;
  readonly keeper: LeaseKeeping;
  readonly roles: DatabaseRoles;
  readonly server: StreamServer;
  readonly clock: StreamClock;
  /** The names of those to ask, one after the other. */
  readonly successors: readonly string[];
  readonly timeoutMs: number;
}

/** Writes that were made wait at most so long for their confirmations. */
const SETTLE_MS_MAX = 1000;

/**
 * Passes the lease: writers are stopped, writes under way are confirmed, a successor confirms that it
 * holds everything, then it has the lease reserved. When it returns the term is over; when it throws,
 * the caller lets writers go on if the term does.
 *
 * @throws ReplicationError `hand_off_failed`, `not_primary`, LeaseError `lease_fixed`.
 */
export async function handOff(options: HandOffOptions): Promise<void> {
  const { term, isCurrent, keeper, roles, server, clock, successors, timeoutMs } = options;
  const endMs = clock.monotonicMs() + timeoutMs;
  const leftMs = (): number => Math.max(1, endMs - clock.monotonicMs());
  await roles.fenceWithin(leftMs() / 2);
  await settled(term, clock, Math.min(leftMs() / 2, SETTLE_MS_MAX));
  const problems: string[] = [];
  for (const successor of successors) {
    if (!isCurrent()) break;
    const hasPassed = await keeper.handOff(successor, async () => {
      try {
        await server.handOff(successor, { timeoutMs: leftMs() });
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
