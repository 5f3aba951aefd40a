import type { LeaseView, NodeIdentity } from '@tandem/lease';
import { comparePositions, type Position } from './epoch-history.ts';
import type { PeerReport } from './peer-client.ts';
import type { ReplicatedDatabase } from './replicated-database.ts';

/** What a node that may take the lease knows of itself. */
export interface Candidacy {
  readonly name: string;
  readonly clusterId: string | undefined;
  /** Whether it has been in its cluster before, with the disk that it has now. */
  readonly hasJoined: boolean;
  readonly hasData: boolean;
  readonly highestEpoch: number;
  /** As in a report. */
  readonly standings: Readonly<Record<string, Position>>;
}

/** Where a node stands in each database: who would have to write the next transaction. */
export function standingsOf(databases: Iterable<ReplicatedDatabase>): Record<string, Position> {
  return Object.fromEntries(
    Array.from(databases, (database) => {
      const { txid } = database.position();
      return [database.name, { epoch: database.history().epochOf(txid + 1), txid }];
    }),
  );
}

/** What a node knows of itself before an election. */
export function candidacyOf(
  node: {
    readonly identity: NodeIdentity;
    readonly clusterId: string | undefined;
    readonly highestEpoch: number;
    readonly databases: Iterable<ReplicatedDatabase>;
  },
  { hasJoined }: Pick<Candidacy, 'hasJoined'>,
): Candidacy {
  const { identity, clusterId, highestEpoch, databases } = node;
  const hasData = [...databases].some(({ isPresent }) => isPresent);
  const standings = standingsOf(databases);
  return { name: identity.name, clusterId, hasJoined, hasData, highestEpoch, standings };
}

/** What a node tells others of itself. */
export function reportOf(
  node: {
    readonly identity: NodeIdentity;
    readonly clusterId: string | undefined;
    readonly highestEpoch: number;
    readonly databases: Iterable<ReplicatedDatabase>;
    readonly proxyUrl: string | undefined;
    positions(): Record<string, Position>;
  },
  isPrimary: boolean,
): PeerReport {
  const { identity, clusterId, highestEpoch, proxyUrl } = node;
  return {
    name: identity.name,
    id: identity.id,
    clusterId,
    highestEpoch,
    positions: node.positions(),
    standings: standingsOf(node.databases),
    isPrimary,
    ...(proxyUrl === undefined ? {} : { proxyUrl }),
  };
}

/** What is known before an election. */
export interface ElectionFacts {
  readonly own: Candidacy;
  readonly view: Pick<LeaseView, 'clusterId' | 'members'>;
  /** What the members say that could be reached. */
  readonly reports: readonly PeerReport[];
  /**
   * So many nodes must be heard, the own included, unless every member is: then one of them has
   * whatever was confirmed. 1 asks for none.
   */
  readonly heardMin: number;
}

export type ElectionVerdict =
  | { readonly kind: 'lead' }
  | { readonly kind: 'abstain'; readonly reason: string }
  /** It may after it has got these databases from that member. */
  | {
      readonly kind: 'catch-up';
      readonly from: NodeIdentity;
      readonly databases: readonly string[];
      readonly reason: string;
    };

/**
 * Whether a node may lead, from what the reachable members report. Whoever leads makes its state
 * everybody's. E1. It has, in each database, what any of the others has; what is missing it fetches
 * first, since with several databases no single node need be ahead in all. E2. A node whose disk is
 * new does not lead unless every member says that it has nothing. E3. Data of one cluster is not led
 * under the lease of another. E4. Where writes wait for a majority, so many are heard that one of
 * them has each confirmed write.
 */
export function judgeElection(facts: ElectionFacts): ElectionVerdict {
  const { own, view, reports, heardMin } = facts;
  const mismatch = clusterMismatch(own, view.clusterId);
  if (mismatch !== undefined) return abstain(mismatch);
  const others = view.members.filter(({ name }) => name !== own.name);
  const heard = others.flatMap((member) => {
    const report = reports.find(({ name }) => name === member.name);
    return report === undefined || isOfOther(report, view.clusterId) ? [] : [{ member, report }];
  });
  const leader = heard.find(({ report }) => report.isPrimary === true);
  if (leader !== undefined) return abstain(`${leader.member.name} says that it is primary`);
  const silent = others.filter((member) => !heard.some((each) => each.member === member));
  const [unheard] = silent;
  if (unheard !== undefined) {
    const isNew = !own.hasJoined && !own.hasData && view.clusterId !== undefined;
    if (isNew)
      return abstain(`this node is new, and ${unheard.name}, which may have data, is silent`);
    if (heard.length + 1 < heardMin) {
      return abstain(`${silent.map(({ name }) => name).join(', ')} may have confirmed writes`);
    }
  }
  return judgeStandings(own, heard);
}

interface Heard {
  readonly member: NodeIdentity;
  readonly report: PeerReport;
}

function judgeStandings(own: Candidacy, heard: readonly Heard[]): ElectionVerdict {
  const ahead = heard
    .map((each) => ({ ...each, databases: databasesAhead(each.report, own) }))
    .filter(({ databases }) => databases.length > 0)
    .toSorted((a, b) => b.report.highestEpoch - a.report.highestEpoch);
  const [best] = ahead;
  if (best === undefined) return { kind: 'lead' };
  const { member, report, databases } = best;
  const reason = `${member.name} is ahead in ${databases.slice(0, 3).join(', ')}`;
  // A node takes nothing from one that has seen less; that one takes from us, and leads.
  if (report.highestEpoch < own.highestEpoch) return abstain(`${reason}, in an earlier epoch`);
  return { kind: 'catch-up', from: member, databases, reason };
}

function databasesAhead({ standings, positions }: PeerReport, own: Candidacy): string[] {
  return Object.entries(standings ?? positions)
    .filter(([database, theirs]) => {
      const ours = own.standings[database] ?? { epoch: 0, txid: 0 };
      return theirs.txid > 0 && comparePositions(theirs, ours) > 0;
    })
    .map(([database]) => database)
    .toSorted();
}

function clusterMismatch(own: Candidacy, leaseId: string | undefined): string | undefined {
  if (leaseId === undefined || own.clusterId === leaseId || !own.hasData) return undefined;
  const cluster = own.clusterId === undefined ? 'no cluster' : `cluster ${own.clusterId}`;
  return `the data of this node is of ${cluster}, the lease of ${leaseId}`;
}

/** At the address of a member there may be a node of another cluster by now. */
function isOfOther({ clusterId }: PeerReport, leaseId: string | undefined): boolean {
  return clusterId !== undefined && leaseId !== undefined && clusterId !== leaseId;
}

function abstain(reason: string): ElectionVerdict {
  return { kind: 'abstain', reason };
}
