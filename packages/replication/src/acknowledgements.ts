import { assert } from '@tandem/base';
import type { Position } from './epoch-history.ts';
import { streamError } from './stream-message.ts';
import type { ReplicaAcknowledgements, StreamClock } from './stream-source.ts';

/** How many replicas must have a transaction: none, one, or so many that a majority has it. */
export type AcknowledgementMode = 'none' | 'one' | 'majority';

export interface AcknowledgementPolicy {
  readonly mode: AcknowledgementMode;
  readonly timeoutMs: number;
  /** What happens then: go on without, or wait on for as long as it takes. */
  readonly onTimeout: 'degrade' | 'block';
}

/** What came of waiting. */
export type AcknowledgementOutcome = 'acknowledged' | 'degraded';

export interface AcknowledgementCounts {
  readonly acknowledged: number;
  readonly degraded: number;
  /** Not settled yet. */
  readonly waiting: number;
  /** Of those, beyond their time-out. */
  readonly blocked: number;
}

interface Waiter {
  readonly name: string;
  readonly position: Position;
  readonly mode: AcknowledgementMode;
  readonly settle: (outcome: AcknowledgementOutcome) => void;
  readonly fail: (error: Error) => void;
  isBlocked: boolean;
}

/** The last wait of a database that ran out of time. */
interface Degradation {
  readonly mode: AcknowledgementMode;
  position: Position;
}

/**
 * Which replicas hold which transactions, and who waits for that. A1. A node counts once, however
 * many streams it has open, and only while one is. A2. It counts for a transaction if it confirmed
 * that one or a later one, in the same epoch or a later one. A3. After a wait ran out of time and
 * went on without, the database is degraded: waits that may degrade do so at once, until enough
 * replicas confirm the last transaction that was waited for.
 */
export class Acknowledgements {
  readonly #clock: StreamClock;
  #clusterSize: number;
  readonly #replicas = new Map<string, Map<string, Position>>();
  readonly #waiters = new Set<Waiter>();
  readonly #degraded = new Map<string, Degradation>();
  #acknowledgedCount = 0;
  #degradedCount = 0;

  /** `clusterSize` counts all nodes, the primary included. */
  constructor(clusterSize: number, clock: StreamClock) {
    assert(clusterSize >= 1, 'a cluster has at least its primary');
    this.#clusterSize = clusterSize;
    this.#clock = clock;
  }

  get counts(): AcknowledgementCounts {
    return {
      acknowledged: this.#acknowledgedCount,
      degraded: this.#degradedCount,
      waiting: this.#waiters.size,
      blocked: [...this.#waiters].filter(({ isBlocked }) => isBlocked).length,
    };
  }

  /** The databases whose transactions are not confirmed as the policy wants; see A3. */
  get degradedNames(): readonly string[] {
    return [...this.#degraded.keys()];
  }

  /** Nodes have joined or left the cluster. */
  resize(clusterSize: number): void {
    assert(clusterSize >= 1, 'a cluster has at least its primary');
    this.#clusterSize = clusterSize;
    this.#settle();
  }

  /** A stream to the node of this name begins. One it had before counts no longer (A1). */
  attach(nodeName: string): ReplicaAcknowledgements {
    const positions = new Map<string, Position>();
    this.#replicas.set(nodeName, positions);
    const isCurrent = (): boolean => this.#replicas.get(nodeName) === positions;
    return {
      acknowledge: (name, position) => {
        if (!isCurrent()) return;
        positions.set(name, position);
        this.#settle(name);
      },
      forget: (name) => void positions.delete(name),
      detach: () => {
        if (isCurrent()) this.#replicas.delete(nodeName);
      },
    };
  }

  /**
   * Resolves when enough replicas hold `position`, or when the policy gives up on it.
   *
   * Rejects with BaseError `stream_acknowledgement_unknown` when the term ends first: the transaction
   * is on this node's disk, but may be missing on the next primary.
   */
  waitFor(
    name: string,
    position: Position,
    policy: AcknowledgementPolicy,
  ): Promise<AcknowledgementOutcome> {
    const { mode, timeoutMs, onTimeout } = policy;
    // A database without transactions has nothing that a replica could lack.
    if (mode === 'none' || position.txid === 0 || this.#isHeld(name, position, mode)) {
      this.#acknowledgedCount += 1;
      return Promise.resolve('acknowledged');
    }
    if (onTimeout === 'degrade' && this.#degraded.get(name)?.mode === mode) {
      this.#degrade(name, position, mode);
      return Promise.resolve('degraded');
    }
    const { promise, resolve, reject } = Promise.withResolvers<AcknowledgementOutcome>();
    const waiter: Waiter = {
      name,
      position,
      mode,
      settle: (outcome) => {
        cancel();
        this.#waiters.delete(waiter);
        resolve(outcome);
      },
      fail: (error) => {
        cancel();
        this.#waiters.delete(waiter);
        reject(error);
      },
      isBlocked: false,
    };
    const cancel = this.#clock.after(timeoutMs, () => this.#runOut(waiter, onTimeout));
    this.#waiters.add(waiter);
    return promise;
  }

  /**
   * The database was dropped: nothing of it can be missing on a replica, and what replicas held says
   * nothing of another one that takes its name.
   */
  dropped(name: string): void {
    for (const positions of this.#replicas.values()) positions.delete(name);
    this.#degraded.delete(name);
    for (const waiter of this.#waiters) {
      if (waiter.name !== name) continue;
      this.#acknowledgedCount += 1;
      waiter.settle('acknowledged');
    }
  }

  /** The term is over: nobody waits any longer. */
  end(): void {
    const waiters = [...this.#waiters];
    for (const waiter of waiters) {
      const { name, position } = waiter;
      const message = `The term ended before replicas confirmed transaction ${position.txid} of ${name}.`;
      const hint = 'Ask the new primary whether the write is there before repeating it.';
      waiter.fail(streamError('stream_acknowledgement_unknown', message, { hint }));
    }
    this.#replicas.clear();
    this.#degraded.clear();
  }

  #runOut(waiter: Waiter, onTimeout: 'degrade' | 'block'): void {
    if (onTimeout === 'block') {
      waiter.isBlocked = true;
      return;
    }
    this.#degrade(waiter.name, waiter.position, waiter.mode);
    waiter.settle('degraded');
  }

  #degrade(name: string, position: Position, mode: AcknowledgementMode): void {
    this.#degradedCount += 1;
    const before = this.#degraded.get(name);
    const isLater =
      before === undefined || before.mode !== mode || covers(position, before.position);
    if (isLater) this.#degraded.set(name, { mode, position });
  }

  /** Settles what can be: of one database, or of all. */
  #settle(name?: string): void {
    for (const waiter of this.#waiters) {
      if (name !== undefined && waiter.name !== name) continue;
      if (!this.#isHeld(waiter.name, waiter.position, waiter.mode)) continue;
      this.#acknowledgedCount += 1;
      waiter.settle('acknowledged');
    }
    for (const [degradedName, { position, mode }] of this.#degraded) {
      if (this.#isHeld(degradedName, position, mode)) this.#degraded.delete(degradedName);
    }
  }

  #isHeld(name: string, position: Position, mode: AcknowledgementMode): boolean {
    let left = mode === 'none' ? 0 : mode === 'one' ? 1 : Math.floor(this.#clusterSize / 2);
    for (const positions of this.#replicas.values()) {
      const held = positions.get(name);
      if (held !== undefined && covers(held, position)) left -= 1;
    }
    return left <= 0;
  }
}

/** Whether who holds `held` holds `wanted` (A2). */
function covers(held: Position, wanted: Position): boolean {
  return held.epoch >= wanted.epoch && held.txid >= wanted.txid;
}
