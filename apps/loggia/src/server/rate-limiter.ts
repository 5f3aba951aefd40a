import { LruCache, assert } from '@tandem/base';

/** How much one client, site or key may do. */
export interface RateLimit {
  /** What is given back over time. */
  readonly perSecond: number;
  /** What may be used at once after a rest. */
  readonly burst: number;
}

interface Bucket {
  tokens: number;
  updatedMs: number;
}

/** Clients remembered at once. One that was forgotten starts with a full bucket again. */
const BUCKETS_MAX = 50_000;

/** What sums of fractions may be off by, in tokens. */
const ROUNDING = 1e-6;

/** Token buckets by name. */
export class RateLimiter {
  readonly #limit: RateLimit;
  readonly #buckets = new LruCache<string, Bucket>(BUCKETS_MAX);

  constructor(limit: RateLimit) {
    assert(limit.perSecond > 0 && limit.burst >= 1, 'a limit lets something through');
    this.#limit = limit;
  }

  /**
   * Takes `count` tokens from the bucket of `name`. What is larger than a whole burst passes when
   * the bucket is full and is paid back afterwards, so that nothing is refused for ever.
   *
   * @returns 0 when they were there, else the milliseconds after which they will be.
   */
  take(name: string, nowMs: number, count = 1): number {
    const { perSecond, burst } = this.#limit;
    let bucket = this.#buckets.get(name);
    if (bucket === undefined) {
      bucket = { tokens: burst, updatedMs: nowMs };
      this.#buckets.set(name, bucket);
    }
    const elapsedMs = Math.max(0, nowMs - bucket.updatedMs);
    bucket.tokens = Math.min(burst, bucket.tokens + (elapsedMs / 1000) * perSecond);
    bucket.updatedMs = nowMs;
    const needed = Math.min(count, burst);
    const missing = needed - bucket.tokens;
    if (missing <= ROUNDING) {
      bucket.tokens -= count;
      return 0;
    }
    return Math.ceil(((missing - ROUNDING) / perSecond) * 1000);
  }
}
