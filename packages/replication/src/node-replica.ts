import type { LeaseStore, LeaseView, NodeIdentity } from '@tandem/lease';
import type { ClusterMembership } from './cluster-membership.ts';
import type { DatabaseSet } from './database-set.ts';
import { ReplicationError } from './replication-error.ts';
import type { StreamClock, StreamReplica } from './stream-source.ts';

export interface NodeReplicaOptions {
  readonly node: {
    readonly identity: NodeIdentity;
    readonly store: LeaseStore;
    readonly isCandidate: boolean;
    readonly isFailsafe: boolean;
  };
  readonly databases: DatabaseSet;
  readonly membership: ClusterMembership;
  readonly clock: StreamClock;
  readonly view: () => LeaseView | undefined;
  readonly highestEpoch: () => number;
  /** In step with a primary. */
  readonly onReady: () => void;
  /** This node may not join the cluster of the primary. */
  readonly onRefusal: (error: ReplicationError) => void;
}

/** Asking the store is not to take longer than what is left of a hand-off. */
const STORE_MS_MAX = 2000;

/** A node that follows a primary, as its stream sees it. */
export function nodeReplica(options: NodeReplicaOptions): StreamReplica {
  const { node, databases, membership, view, highestEpoch, onReady, onRefusal } = options;
  const { identity } = node;
  const isAtOdds = (): boolean => membership.isAtOdds(view()?.clusterId);
  return {
    identity,
    clusterId: () => (isAtOdds() ? undefined : membership.id),
    highestEpoch,
    databases: () => (isAtOdds() ? [] : databases),
    open: (name) => databases.open(name),
    drop: (name) => databases.setAside(name, 'dropped', 'The primary has no such database.'),
    welcomed: ({ clusterId }) => {
      try {
        membership.join(clusterId, view()?.clusterId);
        databases.counters.add('streamsOpened');
      } catch (error) {
        if (error instanceof ReplicationError) onRefusal(error);
        throw error;
      }
    },
    membersChanged: () => {},
    ready: onReady,
    handOff: () => mustBeAbleToLead(options),
  };
}

/** @throws ReplicationError `hand_off_failed`: the lease would pass to a node that cannot take it. */
async function mustBeAbleToLead(options: NodeReplicaOptions): Promise<void> {
  const { view, clock } = options;
  const { identity, isCandidate, isFailsafe, store } = options.node;
  if (!isCandidate) throw unable(`${identity.name} is no candidate`);
  const isListed = view()?.members.some(({ name }) => name === identity.name) === true;
  if (isFailsafe && !isListed) throw unable(`${identity.name} is not recorded as a member yet`);
  const { promise, resolve } = Promise.withResolvers<'late'>();
  const cancel = clock.after(STORE_MS_MAX, () => resolve('late'));
  try {
    const seen = await Promise.race([store.observe(), promise]);
    if (seen === 'late') throw unable(`the lease store does not answer ${identity.name}`);
  } catch (error) {
    if (error instanceof ReplicationError) throw error;
    throw unable(`${identity.name} cannot reach the lease store`);
  } finally {
    cancel();
  }
}

function unable(why: string): ReplicationError {
  return new ReplicationError('hand_off_failed', `${why}.`, { retryable: true });
}
