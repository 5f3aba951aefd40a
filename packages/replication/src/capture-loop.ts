import { watch, type FSWatcher } from 'node:fs';
import type { ReplicatedDatabase } from './replicated-database.ts';

/** A look this often finds what no notification told of. */
const POLL_MS = 20;
/**
 * Between two looks at a busy database. Each look makes a file of the log, and a file that is made
 * costs an application that syncs each commit as much as the commit: both wait for the journal of
 * the file system.
 */
const GATHER_MS = 3;
/** The log is written a moment before its index says so. */
const LOOK_AGAIN_MS = 1;
const LOOKS_AGAIN_MAX = 4;
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
  /** Undefined where the system has no watch to give. */
  readonly watcher: FSWatcher | undefined;
  looksLeft: number;
  isDue: boolean;
  failures: number;
  retryMs: number;
}

/** Captures what applications commit, soon after they have: on notification, and by polling. */
export class CaptureLoop {
  readonly #options: CaptureLoopOptions;
  readonly #watched = new Map<ReplicatedDatabase, Watched>();
  #poll: NodeJS.Timeout | undefined;
  #isScheduled = false;
  #lookedMs = 0;

  constructor(options: CaptureLoopOptions) {
    this.#options = options;
  }

  /** Begins to watch a database of which this node is primary. */
  add(database: ReplicatedDatabase): void {
    if (this.#watched.has(database)) return;
    const watcher = this.#watch(database);
    const state = { looksLeft: 0, isDue: true, failures: 0, retryMs: 0 };
    this.#watched.set(database, { database, watcher, ...state });
    this.#poll ??= setInterval(() => this.#lookAtAll(), POLL_MS);
    this.#schedule();
  }

  remove(database: ReplicatedDatabase): void {
    this.#watched.get(database)?.watcher?.close();
    this.#watched.delete(database);
    if (this.#watched.size > 0) return;
    clearInterval(this.#poll);
    this.#poll = undefined;
  }

  close(): void {
    for (const database of this.#watched.keys()) this.remove(database);
  }

  #watch(database: ReplicatedDatabase): FSWatcher | undefined {
    try {
      const watcher = watch(`${database.path}-wal`, () => {
        const watched = this.#watched.get(database);
        if (watched === undefined) return;
        watched.isDue = true;
        watched.looksLeft = LOOKS_AGAIN_MAX;
        this.#schedule();
      });
      watcher.on('error', () => watcher.close());
      return watcher;
    } catch {
      // The system has a limit of watches. The poll finds what no watch tells.
      return undefined;
    }
  }

  #lookAtAll(): void {
    for (const watched of this.#watched.values()) watched.isDue = true;
    this.#look();
    for (const watched of this.#watched.values()) {
      this.#try(watched, () => watched.database.checkpointIfDue());
    }
  }

  /** At once after a pause; a busy program's transactions are gathered for a moment. */
  #schedule(): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    const look = (): void => {
      this.#isScheduled = false;
      this.#lookedMs = performance.now();
      this.#look();
    };
    const pauseMs = this.#lookedMs + GATHER_MS - performance.now();
    if (pauseMs <= 0) setImmediate(look);
    else setTimeout(look, pauseMs);
  }

  #look(): void {
    let mustLookAgain = false;
    for (const watched of this.#watched.values()) {
      if (!watched.isDue) continue;
      watched.isDue = false;
      if (this.#capture(watched) > 0) {
        watched.looksLeft = 0;
      } else if (watched.looksLeft > 0) {
        watched.looksLeft -= 1;
        watched.isDue = true;
        mustLookAgain = true;
      }
    }
    if (mustLookAgain) setTimeout(() => this.#schedule(), LOOK_AGAIN_MS);
  }

  #capture(watched: Watched): number {
    let transactions = 0;
    this.#try(watched, () => {
      transactions = watched.database.capture();
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
