import { CaptureLoop } from './capture-loop.ts';
import type { Complaints } from './complaints.ts';
import type { ReplicatedDatabase } from './replicated-database.ts';
import { ReplicationError } from './replication-error.ts';
import type { StreamClock } from './stream-source.ts';

export interface DatabaseRolesOptions {
  readonly databases: Iterable<ReplicatedDatabase>;
  readonly onCommit: (database: ReplicatedDatabase) => void;
  readonly complaints: Complaints;
  readonly clock: StreamClock;
}

/** A writer that commits meets a gap in less; waiting for a longer transaction happens elsewhere. */
const FENCE_MS = 25;
const FENCE_AGAIN_MS = 50;

/**
 * R8. All databases of a node change role together: either applications write them, in the name of
 * one epoch, or they are fenced. A transaction that does not end keeps its database from being fenced;
 * that is tried until it is, without holding up this thread, and the node follows nobody before.
 */
export class DatabaseRoles {
  readonly #options: DatabaseRolesOptions;
  readonly #loop: CaptureLoop;
  #epoch: number | undefined;
  #cancelAgain: (() => void) | undefined;
  #onFenced: (() => void) | undefined;

  constructor(options: DatabaseRolesOptions) {
    this.#options = options;
    this.#loop = new CaptureLoop({
      onCommit: options.onCommit,
      onError: (database, error) =>
        options.complaints.about(`cannot capture ${database.name}`, error),
    });
  }

  /** Whether no application can write. */
  get areFenced(): boolean {
    return this.#open().length === 0;
  }

  /**
   * Lets applications write in the name of `epoch`.
   *
   * @throws ReplicationError when one of the databases does not let it; others may be led by then.
   */
  lead(epoch: number): void {
    this.#stopFencing();
    this.#epoch = epoch;
    for (const database of this.#options.databases) this.found(database);
  }

  /** A database is new: it has the role of the others. */
  found(database: ReplicatedDatabase): void {
    if (this.#epoch === undefined || !database.isPresent) return;
    database.becomePrimary(this.#epoch);
    this.#loop.add(database);
    this.#options.onCommit(database);
  }

  /** A database is gone. */
  gone(database: ReplicatedDatabase): void {
    this.#loop.remove(database);
  }

  /** Fences every database, now or as soon as its writer lets it; `onFenced` is called then. */
  fence(onFenced?: () => void): void {
    this.#stopFencing();
    this.#epoch = undefined;
    this.#loop.close();
    this.#onFenced = onFenced;
    this.#fenceAll();
  }

  /**
   * Fences every database while the term goes on, for a hand-off.
   *
   * @throws ReplicationError `hand_off_failed` when a transaction does not end within `timeoutMs`.
   * Applications may then write again once `lead` has been called.
   */
  async fenceWithin(timeoutMs: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.fence(resolve);
    const cancel = this.#options.clock.after(timeoutMs, resolve);
    await promise;
    cancel();
    const [busy] = this.#open();
    if (busy === undefined) return;
    throw new ReplicationError(
      'hand_off_failed',
      `A transaction in ${busy.name} has not ended within ${Math.round(timeoutMs)} ms.`,
      { retryable: true, hint: 'Let long transactions end first, or give the hand-off more time.' },
    );
  }

  /** Ends capture. Databases stay as they are. */
  close(): void {
    this.#stopFencing();
    this.#epoch = undefined;
    this.#loop.close();
  }

  #open(): ReplicatedDatabase[] {
    return [...this.#options.databases].filter(({ role }) => role === 'primary');
  }

  #fenceAll(): void {
    const { clock, complaints } = this.#options;
    for (const database of this.#open()) {
      try {
        database.becomeReplica(FENCE_MS);
        this.#options.onCommit(database);
      } catch (error) {
        complaints.about(`cannot stop writers of ${database.name} yet`, error);
      }
    }
    if (this.areFenced) this.#stopFencing()?.();
    else this.#cancelAgain = clock.after(FENCE_AGAIN_MS, () => this.#fenceAll());
  }

  /** Returns who is to be told. */
  #stopFencing(): (() => void) | undefined {
    this.#cancelAgain?.();
    this.#cancelAgain = undefined;
    const onFenced = this.#onFenced;
    this.#onFenced = undefined;
    return onFenced;
  }
}
