import type { NodeIdentity } from '@tandem/lease';
import type { Acknowledgements } from './acknowledgements.ts';
import type { ReplicatedDatabase } from './replicated-database.ts';
import type { StreamPrimary } from './stream-source.ts';

/** What a term needs of its node. */
interface TermNode {
  readonly identity: NodeIdentity;
  readonly clusterId: string | undefined;
  readonly members: readonly NodeIdentity[];
  readonly databases: Iterable<ReplicatedDatabase> & {
    get(name: string): ReplicatedDatabase | undefined;
  };
  stepAside(): Promise<void>;
}

/** A node as a primary, for one term. */
export class PrimaryTerm implements StreamPrimary {
  readonly epoch: number;
  readonly acknowledgements: Acknowledgements;
  /** The members that were recorded last, as one text. */
  recordedMembers: string | undefined;
  readonly #node: TermNode;

  constructor(node: TermNode, epoch: number, acknowledgements: Acknowledgements) {
    this.#node = node;
    this.epoch = epoch;
    this.acknowledgements = acknowledgements;
  }

  get identity(): NodeIdentity {
    return this.#node.identity;
  }

  get clusterId(): string {
    return this.#node.clusterId ?? '';
  }

  *databases(): Generator<ReplicatedDatabase> {
    for (const database of this.#node.databases) if (database.isPresent) yield database;
  }

  database(name: string): ReplicatedDatabase | undefined {
    const database = this.#node.databases.get(name);
    return database?.isPresent === true ? database : undefined;
  }

  members(): readonly NodeIdentity[] {
    return this.#node.members;
  }

  outdated(): void {
    void this.#node.stepAside();
  }
}
