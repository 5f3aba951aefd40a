import { once } from 'node:events';
import type { Worker } from 'node:worker_threads';
import type { Clock } from '@tandem/base';
import { hasArchiveWork, type ArchiveReport } from '@loggia/archive';
import type { Journal } from '@loggia/journal';
import type { FastifyBaseLogger } from 'fastify';
import type { ArchiveThreadData } from '../threads/archive-thread.ts';

/** Expired visits are looked for this often, and at the first turn. */
const RETENTION_INTERVAL_MS = 24 * 3_600_000;

export interface ArchiveTurnsOptions {
  readonly folder: string;
  readonly journal: Journal;
  readonly clock: Clock;
  readonly logger: FastifyBaseLogger;
  readonly startThread: (data: ArchiveThreadData) => Worker;
}

/**
 * Has the archive kept by a thread that lives only while there is something to do: between turns its
 * memory is free. There is one at a time.
 */
export class ArchiveTurns {
  readonly #options: ArchiveTurnsOptions;
  readonly #stop = new Int32Array(new SharedArrayBuffer(4));
  #ended: Promise<void> | undefined;
  /** When retention was begun last. */
  #retainedMs = -Infinity;

  constructor(options: ArchiveTurnsOptions) {
    this.#options = options;
  }

  /** Begins a turn if there is work and none is under way. */
  begin(): void {
    const { journal, clock } = this.#options;
    if (this.#ended !== undefined || Atomics.load(this.#stop, 0) !== 0) return;
    const nowMs = clock.nowMs();
    const withRetention = nowMs - this.#retainedMs >= RETENTION_INTERVAL_MS;
    if (!withRetention && !hasArchiveWork(journal, nowMs)) return;
    if (withRetention) this.#retainedMs = nowMs;
    this.#ended = this.#run(nowMs, withRetention).finally(() => {
      this.#ended = undefined;
    });
  }

  /** Resolves when no turn is under way. */
  async ended(): Promise<void> {
    await this.#ended;
  }

  /** Ends the turn under way after its step. */
  async close(): Promise<void> {
    Atomics.store(this.#stop, 0, 1);
    await this.#ended;
  }

  async #run(nowMs: number, withRetention: boolean): Promise<void> {
    const { folder, logger, startThread } = this.#options;
    const thread = startThread({ folder, nowMs, withRetention, stop: this.#stop });
    thread.on('message', (report: ArchiveReport) =>
      logger.info({ ...report }, 'Kept the archive.'),
    );
    thread.on('error', (error: unknown) =>
      logger.error({ err: error }, 'The archive could not be kept; trying again in a while.'),
    );
    await once(thread, 'exit');
  }
}
