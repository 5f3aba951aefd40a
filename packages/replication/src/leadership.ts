import type { LeaseView } from '@tandem/lease';
import { comparePositions, type Position } from './epoch-history.ts';
import type { PeerReport } from './peer-client.ts';

/** What a node that may take the lease knows of itself. */
export interface Candidacy {
  readonly name: string;
  readonly clusterId: string | undefined;
  readonly positions: Readonly<Record<string, Position>>;
}

/** Why a node does not take the lease. */
export interface Abstention {
  readonly reason: string;
}

/**
 * Whether a node may lead, from what the reachable others report. It may not while one of them is
 * ahead in any database, and an empty node may not while one with data is known: whoever leads makes
 * its state everybody's.
 *
 * @returns undefined when it may
 */
export function judgeCandidacy(
  own: Candidacy,
  view: Pick<LeaseView, 'clusterId'>,
  reports: readonly PeerReport[],
): Abstention | undefined {
  const { clusterId } = view;
  if (clusterId !== undefined && own.clusterId !== undefined && clusterId !== own.clusterId) {
    return { reason: `this node is of cluster ${own.clusterId}, the lease of ${clusterId}` };
  }
  for (const report of reports) {
    if (report.name === own.name) continue;
    for (const [database, theirs] of Object.entries(report.positions)) {
      const ours = own.positions[database] ?? { epoch: 0, txid: 0 };
      if (theirs.txid === 0 || comparePositions(theirs, ours) <= 0) continue;
      return { reason: `${report.name} is ahead in ${database}` };
    }
  }
  return undefined;
}
