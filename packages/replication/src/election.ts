import type { AcknowledgementPolicy } from './acknowledgements.ts';
import type { LeaseView } from '@tandem/lease';
import type { Complaints } from './complaints.ts';
import { judgeElection, type Candidacy, type ElectionVerdict } from './leadership.ts';
import { askPosition, type PeerAccess } from './peer-client.ts';
import type { PeerCatchUp } from './peer-catch-up.ts';

export interface ElectionOptions {
  readonly own: () => Candidacy;
  readonly access: PeerAccess;
  readonly catchUp: PeerCatchUp;
  readonly heardMin: number;
  readonly complaints: Complaints;
  /** How long one attempt to take the lease may wait for what is to be fetched. */
  readonly waitMs: number;
}

/** Several members may each be ahead in something. */
const ROUNDS_MAX = 4;

/** Decides whether this node takes a lease that is free, after asking the others. */
export class Election {
  readonly #options: ElectionOptions;

  constructor(options: ElectionOptions) {
    this.#options = options;
  }

  /** Fetches what another node has and this one lacks. False: not now, or not before others have. */
  async mayLead(view: LeaseView): Promise<boolean> {
    const { catchUp, complaints, waitMs } = this.#options;
    for (let round = 0; round < ROUNDS_MAX; round += 1) {
      const verdict = await this.#judge(view);
      if (verdict.kind === 'lead') return true;
      complaints.say('info', 'not taking the lease', { message: verdict.reason });
      if (verdict.kind === 'abstain') return false;
      if (!(await catchUp.fetch(verdict.from, verdict.databases, waitMs))) return false;
    }
    return false;
  }

  async #judge(view: LeaseView): Promise<ElectionVerdict> {
    const { own, access, heardMin } = this.#options;
    const { name } = own();
    const others = view.members.filter((member) => member.name !== name);
    const settled = await Promise.allSettled(
      others.map(({ advertiseUrl }) => askPosition(advertiseUrl, access)),
    );
    const reports = settled.flatMap((each) => (each.status === 'fulfilled' ? [each.value] : []));
    return judgeElection({ own: own(), view, reports, heardMin });
  }
}

/** As `ElectionFacts.heardMin`: a primary that waits for a majority needs to be found by one. */
export function heardMinOf(
  { mode, onTimeout }: Pick<AcknowledgementPolicy, 'mode' | 'onTimeout'>,
  clusterSize: number,
): number {
  return mode === 'majority' && onTimeout === 'block' ? heardForMajority(clusterSize) : 1;
}

/**
 * How many nodes a candidate must hear, itself included, to hear of whatever a majority has: what a
 * majority has is missing on fewer than half of the nodes.
 */
export function heardForMajority(clusterSize: number): number {
  return Math.ceil(clusterSize / 2);
}
