import type { Salts } from '@loggia/journal';
import type { ArchiveTurns } from './archive-turns.ts';
import type { SaltCache } from './salt-cache.ts';
import type { Services } from './services.ts';

const FOLLOW_INTERVAL_MS = 1000;
const UPKEEP_INTERVAL_MS = 10_000;
const SALTS_INTERVAL_MS = 60_000;
const ARCHIVE_INTERVAL_MS = 60_000;

/** What has to be done again and again: following the journal, deleting what has expired. */
export class Upkeep {
  readonly #services: Services;
  readonly #salts: Salts;
  readonly #saltCache: SaltCache;
  readonly #archiveTurns: ArchiveTurns | undefined;
  readonly #timers: NodeJS.Timeout[] = [];
  #isFollowing = false;
  #isStopped = false;

  constructor(parts: {
    readonly services: Services;
    readonly salts: Salts;
    readonly saltCache: SaltCache;
    /** Undefined when the archive is not to be kept. */
    readonly archiveTurns: ArchiveTurns | undefined;
  }) {
    this.#services = parts.services;
    this.#salts = parts.salts;
    this.#saltCache = parts.saltCache;
    this.#archiveTurns = parts.archiveTurns;
  }

  start(): void {
    this.#every(FOLLOW_INTERVAL_MS, () => this.#follow());
    this.#every(UPKEEP_INTERVAL_MS, () => {
      this.#services.queue.keepUp(this.#services.clock.nowMs());
    });
    this.#every(SALTS_INTERVAL_MS, () => this.#destroySalts());
    this.#every(ARCHIVE_INTERVAL_MS, () => this.#keepArchive());
    this.#follow();
    this.#destroySalts();
  }

  stop(): void {
    this.#isStopped = true;
    for (const timer of this.#timers) clearInterval(timer);
  }

  #every(intervalMs: number, work: () => void): void {
    const timer = setInterval(work, intervalMs);
    timer.unref();
    this.#timers.push(timer);
  }

  /** Lets the event store catch up, so that a query has little left to read. */
  #follow(): void {
    if (this.#isFollowing) return;
    this.#isFollowing = true;
    this.#services.store
      .follow()
      .catch((error: unknown) => {
        if (this.#isStopped) return;
        this.#services.logger.error({ err: error }, 'The event store cannot follow the journal.');
      })
      .finally(() => {
        this.#isFollowing = false;
      });
  }

  #keepArchive(): void {
    try {
      this.#archiveTurns?.begin();
    } catch (error) {
      this.#services.logger.error({ err: error }, 'The archive could not be looked at.');
    }
  }

  #destroySalts(): void {
    try {
      const count = this.#salts.destroyExpired(this.#services.clock.nowMs());
      if (count === 0) return;
      this.#saltCache.forget();
      this.#services.logger.info({ count }, 'Destroyed the salts of past days.');
    } catch (error) {
      this.#services.logger.error({ err: error }, 'Salts that have expired cannot be destroyed.');
    }
  }
}
