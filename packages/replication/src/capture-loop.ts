import { watch, type FSWatcher } from 'node:fs';
import { CapturePace } from './capture-pace.ts';
import type { ReplicatedDatabase } from './replicated-database.ts';

/** A look this often finds what no notification told of. */
const POLL_MS = 20;
/** After a failure, the first and the longest time until the next try. */
const RETRY_MS = 50;
const RETRY_MS_MAX = 2000;

export interface CaptureLoopOptions {
  readonly onCommit: (database: ReplicatedDatabase, transactions: number) => void;
  /** A database could not be captured; it is tried again. */
  readonly onError: (database: ReplicatedDatabase, error: unknown) => void;
}

interface Watched {
  readonly database: ReplicatedDatabase;
  readonly pace: CapturePace;
  /** Undefined while a timer does for it, and where the system has no watch to give. */
  watcher: FSWatcher | undefined;
  /** Until the next look; undefined: there is none to come. */
  timer: NodeJS.Timeout | undefined;
  failures: number;
  retryMs: number;
}

/**
 * Captures what applications commit, soon after they have: on notification, by a timer while they are
 * busy, and by polling.
 */
export class CaptureLoop {
  readonly #options: CaptureLoopOptions;
  readonly #watched = new Map<ReplicatedDatabase, Watched>();
  #poll: NodeJS.Timeout | undefined;

  constructor(options: CaptureLoopOptions) {
    this.#options = options;
  }

  /** Begins to watch a database of which this node is primary. */
  add(database: ReplicatedDatabase): void {
    if (this.#watched.has(database)) return;
    const watched: Watched = {
      database,
      pace: new CapturePace(),
      watcher: undefined,
      timer: undefined,
      failures: 0,
      retryMs: 0,
    };
    this.#watched.set(database, watched);
    this.#poll ??= setInterval(() => this.#lookAtAll(), POLL_MS);
    this.#lookAfter(watched, 0);
  }

  remove(database: ReplicatedDatabase): void {
    const watched = this.#watched.get(database);
    if (watched === undefined) return;
    clearTimeout(watched.timer);
    watched.watcher?.close();
    this.#watched.delete(database);
    if (this.#watched.size > 0) return;
    clearInterval(this.#poll);
    this.#poll = undefined;
  }

  close(): void {
    for (const database of this.#watched.keys()) this.remove(database);
  }

  #lookAtAll(): void {
    for (const watched of this.#watched.values()) {
      if (watched.timer === undefined) this.#look(watched);
      this.#try(watched, () => watched.database.checkpointIfDue());
    }
  }

  #lookAfter(watched: Watched, pauseMs: number): void {
    watched.timer ??= setTimeout(() => this.#look(watched), pauseMs);
  }

  #look(watched: Watched): void {
    clearTimeout(watched.timer);
    watched.timer = undefined;
    const startMs = performance.now();
    const transactions = this.#capture(watched);
    const nowMs = performance.now();
    const pauseMs = watched.pace.pauseMs({ transactions, costMs: nowMs - startMs, nowMs });
    if (pauseMs === undefined) {
      this.#listen(watched);
    } else {
      if (transactions > 0) this.#ignore(watched);
      this.#lookAfter(watched, pauseMs);
    }
  }

  #listen(watched: Watched): void {
    if (watched.watcher !== undefined) return;
    try {
      const watcher = watch(`${watched.database.path}-wal`, () => {
        watched.pace.notified();
        this.#lookAfter(watched, 0);
      });
      watcher.on('error', () => this.#ignore(watched));
      watched.watcher = watcher;
    } catch {
      // The system has a limit of watches. The poll finds what no watch tells.
      return;
    }
    // What was committed before there was a watch.
    this.#lookAfter(watched, 0);
  }

  #ignore(watched: Watched): void {
    watched.watcher?.close();
    watched.watcher = undefined;
  }

  #capture(watched: Watched): number {
    let transactions = 0;
    this.#try(watched, () => {
      transactions = watched.database.look();
      watched.failures = 0;
    });
    if (transactions > 0) this.#options.onCommit(watched.database, transactions);
    return transactions;
  }

  /** A failure, such as a full disk, is told once and tried again ever more rarely. */
  #try(watched: Watched, action: () => void): void {
    if (performance.now() < watched.retryMs) return;
    try {
      action();
    } catch (error) {
      const delayMs = Math.min(RETRY_MS_MAX, RETRY_MS * 2 ** watched.failures);
      watched.failures += 1;
      watched.retryMs = performance.now() + delayMs;
      this.#options.onError(watched.database, error);
    }
  }
}
