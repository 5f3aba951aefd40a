import {
  LeaseKeeper,
  type LeaseKeeperOptions,
  type LeaseKeeping,
  LeaseThread,
  type PeerQuestion,
} from '@tandem/lease';
import type { ReplicationNodeOptions } from './node-options.ts';
import { askFailsafe, peerAccessOf } from './peer-client.ts';
import type { StreamClock } from './stream-source.ts';

/** What the node has to say to the keeper of its lease. */
export type KeeperCallbacks = Pick<
  LeaseKeeperOptions,
  'epochFloor' | 'mayLead' | 'onChange' | 'onView' | 'onError'
>;

/** The keeper of a node's lease: in a thread of its own where the store is given as plain data. */
export function openKeeper(
  node: ReplicationNodeOptions,
  clock: StreamClock,
  callbacks: KeeperCallbacks,
): LeaseKeeping {
  const { identity, store, threadStore, timings, isCandidate, isFailsafe, demoteDelayMs } = node;
  const options = {
    ...callbacks,
    self: identity,
    timings,
    isCandidate,
    mayLeadUnlisted: !isFailsafe,
    ...(demoteDelayMs === undefined ? {} : { demoteDelayMs }),
    ...(isFailsafe ? { askPeers: (question: PeerQuestion) => askAll(node, question) } : {}),
  };
  return threadStore === undefined
    ? new LeaseKeeper({ ...options, store, clock })
    : new LeaseThread({ ...options, store: threadStore });
}

/** Whether every peer acknowledges the epoch and promises not to take the lease. */
async function askAll(
  node: ReplicationNodeOptions,
  { epoch, peers, durationMs }: PeerQuestion,
): Promise<boolean> {
  const access = peerAccessOf(node);
  const question = { epoch, durationMs };
  const answers = peers.map(({ advertiseUrl }) => askFailsafe(advertiseUrl, question, access));
  const settled = await Promise.allSettled(answers);
  return settled.every((each) => each.status === 'fulfilled' && each.value);
}
