import { setImmediate } from 'node:timers/promises';
import type { NodeIdentity } from '@tandem/lease';
import type {
  AcknowledgementOutcome,
  AcknowledgementPolicy,
  Acknowledgements,
} from './acknowledgements.ts';
import type { Position } from './epoch-history.ts';
import type { MemberRecord } from './member-record.ts';
import type { ReplicatedDatabase } from './replicated-database.ts';
import type { ReplicaAcknowledgements, StreamPrimary } from './stream-source.ts';

/** What a term needs of its node. */
export interface TermNode {
  readonly identity: NodeIdentity;
  clusterId(): string;
  members(): readonly NodeIdentity[];
  readonly databases: Iterable<ReplicatedDatabase> & {
    get(name: string): ReplicatedDatabase | undefined;
  };
  /** The node of that name that is connected. */
  replica(name: string): NodeIdentity | undefined;
  /** Another node has seen a higher epoch than that of this term. */
  outdated(epoch: number, by: NodeIdentity): void;
}

export interface PrimaryTermOptions {
  readonly epoch: number;
  readonly confirmations: Acknowledgements;
  readonly record: MemberRecord;
}

/** A node as a primary, for one term. */
export class PrimaryTerm implements StreamPrimary {
  readonly epoch: number;
  /** Which replicas have what, and who waits for that. */
  readonly confirmations: Acknowledgements;
  /** Where streams report to: what a replica says counts once it is recorded as a member (M2). */
  readonly acknowledgements = { attach: (name: string) => this.#attach(name) };
  readonly record: MemberRecord;
  /** A hand-off is under way. */
  isLeaving = false;
  readonly #node: TermNode;
  #confirming = 0;
  #onSettled: (() => void) | undefined;
  #flushing: Promise<void> | undefined;

  constructor(node: TermNode, options: PrimaryTermOptions) {
    this.#node = node;
    this.epoch = options.epoch;
    this.confirmations = options.confirmations;
    this.record = options.record;
  }

  get identity(): NodeIdentity {
    return this.#node.identity;
  }

  get clusterId(): string {
    return this.#node.clusterId();
  }

  *databases(): Generator<ReplicatedDatabase> {
    for (const database of this.#node.databases) if (database.isPresent) yield database;
  }

  database(name: string): ReplicatedDatabase | undefined {
    const database = this.#node.databases.get(name);
    return database?.isPresent === true ? database : undefined;
  }

  members(): readonly NodeIdentity[] {
    return this.#node.members();
  }

  outdated(epoch: number, by: NodeIdentity): void {
    this.#node.outdated(epoch, by);
  }

  /**
   * As `Acknowledgements.waitFor`, of all databases as they are now. Who waits for replicas waits for
   * the disk of this node as well, and both at once: a majority counts it (R6).
   */
  async confirm(policy: AcknowledgementPolicy): Promise<AcknowledgementOutcome> {
    this.#confirming += 1;
    const flushed = policy.mode === 'none' ? undefined : this.#flushed();
    try {
      const waits = Array.from(this.#node.databases, (database) =>
        this.confirmations.waitFor(database.name, database.position(), policy),
      );
      const [outcomes] = await Promise.all([Promise.all(waits), flushed]);
      return outcomes.includes('degraded') ? 'degraded' : 'acknowledged';
    } finally {
      this.#confirming -= 1;
      if (this.#confirming === 0) this.#onSettled?.();
    }
  }

  /** Calls back when nobody waits for a confirmation, at once if so. */
  whenSettled(callback: () => void): void {
    this.#onSettled = callback;
    if (this.#confirming === 0) callback();
  }

  /** One flush for all who ask in one turn of the event loop, after what they wait for has been sent. */
  #flushed(): Promise<void> {
    this.#flushing ??= (async () => {
      await setImmediate();
      this.#flushing = undefined;
      for (const database of this.#node.databases) database.flush();
    })();
    return this.#flushing;
  }

  #attach(name: string): ReplicaAcknowledgements {
    const inner = this.confirmations.attach(name);
    const held = new Map<string, Position>();
    let isCounted = false;
    const identity = this.#node.replica(name);
    const count = (): void => {
      isCounted = true;
      for (const [database, position] of held) inner.acknowledge(database, position);
      held.clear();
    };
    if (identity !== undefined) this.record.joined(identity, count);
    return {
      acknowledge: (database, position) => {
        if (isCounted) inner.acknowledge(database, position);
        else held.set(database, position);
      },
      forget: (database) => {
        held.delete(database);
        inner.forget(database);
      },
      detach: () => inner.detach(),
    };
  }
}
