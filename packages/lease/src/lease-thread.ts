import { Worker } from 'node:worker_threads';
import { systemLeaseClock } from './lease-clock.ts';
import { LeaseError } from './lease-error.ts';
import type { LeaseKeeperOptions, LeaseKeeping, PeerQuestion } from './lease-keeping.ts';
import type { LeaseTerm, LeaseView } from './lease-store.ts';
import type { RoleChange } from './keeper-machine.ts';
import type { NodeIdentity } from './node-identity.ts';
import { openLeaseStore, type LeaseStoreConfig } from './store-config.ts';
import { TermCell } from './term-cell.ts';
import { decodeFailure, ThreadLink, type LinkFailure } from './thread-link.ts';
import type { LeaseTimings } from './lease-timings.ts';

/** Heartbeats in the time between two renewals. */
const BEATS_PER_RETRY = 4;

/** As for a keeper, with the store as plain data. */
export interface LeaseThreadOptions extends Pick<
  LeaseKeeperOptions,
  | 'self'
  | 'timings'
  | 'isCandidate'
  | 'epochFloor'
  | 'mayLead'
  | 'askPeers'
  | 'mayLeadUnlisted'
  | 'demoteDelayMs'
  | 'onChange'
  | 'onView'
  | 'onError'
> {
  readonly store: LeaseStoreConfig;
  /**
   * The lease is not renewed when the thread that writes has not shown life for so long; by
   * default the renew deadline. It shows life by its event loop and by asking `isPrimaryNow`.
   */
  readonly silenceMaxMs?: number;
}

/** What the worker is started with. */
export interface LeaseWorkerStart {
  readonly store: LeaseStoreConfig;
  readonly self: NodeIdentity;
  readonly timings: LeaseTimings;
  readonly isCandidate: boolean;
  readonly mayLeadUnlisted: boolean;
  readonly demoteDelayMs: number;
  readonly isFailsafe: boolean;
  readonly silenceMaxMs: number;
  readonly buffer: SharedArrayBuffer;
  /** What to take from `process.hrtime` to have the monotonic clock of the thread that started. */
  readonly clockOffsetMs: number;
}

/**
 * Keeps a lease in a thread of its own, so that a long statement or a collection of garbage in
 * this one does not make renewals late. The thread renews only while this one shows life, so a
 * wedged process does lose the lease. Terms are in this thread's `performance.now()`.
 */
export class LeaseThread implements LeaseKeeping {
  readonly #options: LeaseThreadOptions;
  readonly #cell = new TermCell();
  #link: ThreadLink | undefined;
  #view: LeaseView | undefined;
  /** The right to write ends here at once, before the other thread has heard of it. */
  #drains = 0;
  #isCandidate: boolean;
  #drain: () => Promise<boolean> = async () => true;
  #isEnding = false;

  /** @throws LeaseError `lease_bad_setting` or `lease_bad_node_name` as `openLeaseStore`. */
  constructor(options: LeaseThreadOptions) {
    // Only to refuse settings here and now; the other thread opens its own.
    void openLeaseStore(options.store).close();
    this.#options = options;
    this.#isCandidate = options.isCandidate;
  }

  get term(): LeaseTerm | undefined {
    return this.#drains > 0 ? undefined : this.#cell.read();
  }

  get view(): LeaseView | undefined {
    return this.#view;
  }

  isPrimaryNow(): boolean {
    this.#cell.beat(systemLeaseClock.monotonicMs());
    return this.#drains === 0 && this.#cell.isOpen(systemLeaseClock);
  }

  async run(signal: AbortSignal): Promise<void> {
    const beat = (): void => this.#cell.beat(systemLeaseClock.monotonicMs());
    beat();
    const timer = setInterval(beat, this.#options.timings.retryMs / BEATS_PER_RETRY);
    const worker = new Worker(new URL('lease-worker.ts', import.meta.url), {
      workerData: this.#start(),
    });
    const exited = new Promise<Error | undefined>((resolve) => {
      worker.once('error', resolve);
      worker.once('exit', () => resolve(undefined));
    });
    const link = new ThreadLink(worker, this.#handlers());
    this.#link = link;
    const stop = (): void => {
      this.#drains += 1;
      this.#isEnding = true;
      link.tell('stop', undefined);
    };
    if (signal.aborted) stop();
    signal.addEventListener('abort', stop, { once: true });
    try {
      const cause = await exited;
      if (this.#isEnding && cause === undefined) return;
      throw new LeaseError('lease_thread_failed', 'The thread that keeps the lease ended.', {
        cause,
        hint: 'The node is no longer primary. Restart the process.',
      });
    } finally {
      signal.removeEventListener('abort', stop);
      clearInterval(timer);
      this.#end(link);
    }
  }

  async handOff(successorName: string, drain: () => Promise<boolean>): Promise<boolean> {
    return this.#whileDraining(drain, 'hand-off', successorName);
  }

  async stepDown(drain: () => Promise<void>): Promise<void> {
    const drained = async (): Promise<boolean> => {
      await drain();
      return true;
    };
    await this.#whileDraining(drained, 'step-down', undefined);
  }

  setCandidate(isCandidate: boolean): void {
    this.#isCandidate = isCandidate;
    this.#link?.tell('candidate', isCandidate);
  }

  async promiseNotToAcquire(epoch: number, untilMs: number): Promise<boolean> {
    return (await this.#ask('promise', { epoch, untilMs })) === true;
  }

  async recordMembers(members: readonly NodeIdentity[]): Promise<void> {
    await this.#ask('members', members);
  }

  async #whileDraining(
    drain: () => Promise<boolean>,
    name: string,
    value: unknown,
  ): Promise<boolean> {
    this.#drains += 1;
    this.#drain = drain;
    try {
      return (await this.#ask(name, value)) === true;
    } finally {
      this.#drains -= 1;
    }
  }

  async #ask(name: string, value: unknown): Promise<unknown> {
    if (this.#link !== undefined) return this.#link.ask(name, value);
    throw new LeaseError('lease_not_held', 'The thread that keeps the lease does not run.');
  }

  #start(): LeaseWorkerStart {
    const { store, self, timings, mayLeadUnlisted = false, askPeers } = this.#options;
    return {
      demoteDelayMs: this.#options.demoteDelayMs ?? timings.durationMs,
      store,
      self,
      timings,
      isCandidate: this.#isCandidate,
      mayLeadUnlisted,
      isFailsafe: askPeers !== undefined,
      silenceMaxMs: this.#options.silenceMaxMs ?? timings.renewDeadlineMs,
      buffer: this.#cell.buffer,
      clockOffsetMs: Number(process.hrtime.bigint()) / 1e6 - systemLeaseClock.monotonicMs(),
    };
  }

  #handlers() {
    const { epochFloor, mayLead, askPeers, onChange, onView, onError } = this.#options;
    return {
      'epoch-floor': () => epochFloor(),
      'may-lead': async (view: LeaseView) => (await mayLead?.(view)) ?? true,
      'ask-peers': async (question: PeerQuestion) => (await askPeers?.(question)) ?? false,
      drain: () => this.#drain(),
      change: (change: RoleChange) => onChange?.(change),
      view: (view: LeaseView) => {
        this.#view = view;
        onView?.(view);
      },
      error: (failure: LinkFailure) => onError?.(decodeFailure(failure)),
    };
  }

  #end(link: ThreadLink): void {
    const epoch = this.#cell.read()?.epoch;
    this.#cell.publish(undefined);
    this.#link = undefined;
    link.fail(new LeaseError('lease_thread_failed', 'The thread that keeps the lease ended.'));
    if (epoch !== undefined) {
      this.#options.onChange?.({ kind: 'following', reason: 'expired', epoch });
    }
  }
}
