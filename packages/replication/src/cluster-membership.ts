import { randomBytes } from 'node:crypto';
import type { LeaseStore } from '@tandem/lease';
import {
  CLUSTER_ID_FILE,
  CLUSTER_ID_RANDOM_BYTES,
  judgeClusterId,
  mintClusterId,
  readClusterId,
  writeClusterId,
} from './cluster-id.ts';
import { ReplicationError } from './replication-error.ts';

export interface ClusterMembershipOptions {
  readonly stateFolder: string;
  /** An id given by the operator. */
  readonly configuredId?: string;
  readonly onMismatch: 'set-aside' | 'refuse';
  /** Whether this node holds a database. */
  readonly hasData: () => boolean;
  /** Sets all databases aside. */
  readonly setAllAside: (reason: string) => void;
}

/**
 * Which cluster this node belongs to, kept on its disk. Data of another cluster is never mixed with
 * that of a primary: it is set aside when there is a primary to follow, or the node does not join.
 */
export class ClusterMembership {
  readonly #options: ClusterMembershipOptions;
  #id: string | undefined;
  #hasJoined: boolean;
  #isDoubted = false;

  /** @throws ReplicationError `cluster_mismatch`, `bad_cluster_id`. */
  constructor(options: ClusterMembershipOptions) {
    this.#options = options;
    const { stateFolder, configuredId } = options;
    const kept = readClusterId(stateFolder);
    if (kept !== undefined && configuredId !== undefined && kept !== configuredId) {
      throw new ReplicationError(
        'cluster_mismatch',
        `This node's data belongs to cluster ${kept}, and the configuration names ${configuredId}.`,
        {
          hint:
            `Correct the configuration, or, if the data is to go, move the databases and ` +
            `${stateFolder} away; ${CLUSTER_ID_FILE} in it holds the id.`,
        },
      );
    }
    this.#hasJoined = kept !== undefined;
    this.#id = kept ?? configuredId;
  }

  /** Undefined until the node has been primary, or has followed one. */
  get id(): string | undefined {
    return this.#id;
  }

  /** Whether the node has ever been in its cluster, with the disk that it has now. */
  get hasJoined(): boolean {
    return this.#hasJoined;
  }

  /**
   * Whether the node holds data that is not known to be of the cluster it is about to follow. It then
   * tells the primary neither its id nor its databases. `leaseId` is the id in the lease store.
   */
  isAtOdds(leaseId: string | undefined): boolean {
    if (this.#id === undefined) return this.#options.hasData();
    return this.#isDoubted || (leaseId !== undefined && leaseId !== this.#id);
  }

  /** A primary has refused the id. */
  doubt(): void {
    this.#isDoubted = true;
  }

  /**
   * A primary of the cluster `primaryId` takes this node on.
   *
   * @throws ReplicationError `cluster_mismatch` when this node may not join it.
   */
  join(primaryId: string, leaseId: string | undefined): void {
    const { hasData, onMismatch, setAllAside } = this.#options;
    const verdict = judgeClusterId({
      local: this.#id,
      hasData: hasData(),
      lease: leaseId,
      primary: primaryId,
      onMismatch,
    });
    if (verdict.kind === 'refuse') throw mismatch(verdict.sentence);
    if (verdict.kind === 'set-aside') setAllAside(verdict.sentence);
    this.#keep(primaryId);
  }

  /**
   * This node is primary: it takes the id in force, or puts its own into the lease store, a new one
   * if need be. The own disk has it first, so that a stop in between leaves no data without an id.
   *
   * @throws ReplicationError `cluster_mismatch` when the lease is another cluster's, LeaseError.
   */
  async claim(store: LeaseStore, leaseId: string | undefined): Promise<void> {
    if (leaseId === undefined) {
      this.#keep(this.#id ?? mintClusterId(randomBytes(CLUSTER_ID_RANDOM_BYTES)));
    }
    const inForce = await store.claimClusterId(this.#id ?? leaseId ?? '');
    const hasData = this.#options.hasData();
    const facts = { local: this.#id, hasData, lease: inForce, onMismatch: 'refuse' } as const;
    const verdict = judgeClusterId(facts);
    if (verdict.kind === 'refuse') throw mismatch(verdict.sentence);
    this.#keep(inForce);
  }

  #keep(id: string): void {
    this.#isDoubted = false;
    if (!this.#hasJoined || this.#id !== id) writeClusterId(this.#options.stateFolder, id);
    this.#id = id;
    this.#hasJoined = true;
  }
}

function mismatch(sentence: string): ReplicationError {
  return new ReplicationError('cluster_mismatch', sentence);
}
