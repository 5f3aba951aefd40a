import type { LeaseKeeping, NodeIdentity } from '@tandem/lease';
import { Acknowledgements } from './acknowledgements.ts';
import type { Complaints } from './complaints.ts';
import type { DatabaseSet } from './database-set.ts';
import { MemberRecord } from './member-record.ts';
import type { NodeStreams } from './node-streams.ts';
import { PrimaryTerm } from './primary-term.ts';
import type { StreamClock } from './stream-source.ts';

/** What a term works with. */
export interface TermParts {
  readonly identity: NodeIdentity;
  readonly clusterId: string;
  readonly clusterSize: number;
  readonly members: () => readonly NodeIdentity[];
  readonly databases: DatabaseSet;
  readonly keeper: LeaseKeeping;
  readonly streams: NodeStreams;
  readonly clock: StreamClock;
  readonly complaints: Complaints;
  /** Somebody has followed a later primary than this node is. */
  readonly onOutdated: () => void;
}

/** A node as primary of `epoch`, with the members that are known so far. */
export function openTerm(epoch: number, parts: TermParts): PrimaryTerm {
  const { identity, clusterSize, members, keeper, streams, clock, complaints } = parts;
  const record = new MemberRecord(
    {
      record: (others) => keeper.recordMembers([identity, ...others]),
      complaints,
      clock,
      onRecorded: () => streams.server.membersChanged(),
    },
    members().filter(({ name }) => name !== identity.name),
  );
  const node = {
    identity,
    clusterId: () => parts.clusterId,
    members,
    databases: parts.databases,
    replica: (name: string) => streams.connected.findLast((each) => each.name === name),
    outdated: (seen: number, by: NodeIdentity) => {
      sayOutdated(complaints, epoch, { seen, by });
      parts.onOutdated();
    },
  };
  const confirmations = new Acknowledgements(clusterSize, clock);
  return new PrimaryTerm(node, { epoch, confirmations, record });
}

function sayOutdated(
  complaints: Complaints,
  epoch: number,
  { seen, by }: { readonly seen: number; readonly by: NodeIdentity },
): void {
  complaints.say('warn', 'another node has seen a later primary', {
    message: `${by.name} has seen epoch ${seen}, and this node is primary of epoch ${epoch}.`,
    hint:
      'This node steps down. Its disk or the lease store was reset or restored: let the node whose ' +
      'data is right be primary, or set the data of the others aside.',
  });
}
