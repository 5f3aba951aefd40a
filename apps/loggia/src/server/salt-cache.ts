import { LruCache, type Clock, type LocalDate } from '@tandem/base';
import type { SaltSource } from '@loggia/ingest';
import type { Salts } from '@loggia/journal';

/** How long a salt may be used without asking whether it still exists. */
const TRUSTED_MS = 60_000;
const ENTRIES_MAX = 2000;

interface Entry {
  /** Undefined: there was none. */
  readonly salt: Uint8Array | undefined;
  readonly readMs: number;
}

/**
 * The salts in memory, so that an event costs no read of their database. A salt that has been
 * destroyed is forgotten here within a minute; `forget` does it at once.
 */
export class SaltCache implements SaltSource {
  readonly #salts: Salts;
  readonly #clock: Clock;
  readonly #entries = new LruCache<string, Entry>(ENTRIES_MAX);

  constructor(salts: Salts, clock: Clock) {
    this.#salts = salts;
    this.#clock = clock;
  }

  ensure(siteId: number, date: LocalDate, expiresMs: number): Uint8Array {
    const known = this.existing(siteId, date);
    if (known !== undefined) return known;
    const salt = this.#salts.ensure(siteId, date, expiresMs);
    this.#entries.set(`${siteId} ${date}`, { salt, readMs: this.#clock.nowMs() });
    return salt;
  }

  existing(siteId: number, date: LocalDate): Uint8Array | undefined {
    const name = `${siteId} ${date}`;
    const nowMs = this.#clock.nowMs();
    const known = this.#entries.get(name);
    if (known !== undefined && Math.abs(nowMs - known.readMs) < TRUSTED_MS) return known.salt;
    const salt = this.#salts.saltOf(siteId, date);
    this.#entries.set(name, { salt, readMs: nowMs });
    return salt;
  }

  /** Forgets every salt; called when some were destroyed. */
  forget(): void {
    this.#entries.clear();
  }
}
