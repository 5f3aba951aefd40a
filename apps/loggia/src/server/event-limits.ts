import { HttpError } from '@loggia/contract';
import { RateLimiter } from './rate-limiter.ts';

/** A limit that was hit, with the time after which it opens again. */
export class RateLimitError extends HttpError {
  readonly retryAfterMs: number;

  constructor(message: string, retryAfterMs: number) {
    super('rate_limited', message, {
      hint: 'Try again after the time in Retry-After, or raise the limits in the configuration.',
      retryable: true,
    });
    this.retryAfterMs = retryAfterMs;
  }
}

/** How many events clients may send and sites receive; absent limits let everything through. */
export class EventLimits {
  readonly #client: RateLimiter | undefined;
  readonly #site: RateLimiter | undefined;

  constructor(perMinute: { readonly client: number; readonly site: number } | undefined) {
    if (perMinute === undefined) return;
    this.#client = limiterOf(perMinute.client);
    this.#site = limiterOf(perMinute.site);
  }

  /** @throws RateLimitError when the client at `address` has sent too much. */
  takeClient(address: string, nowMs: number): void {
    const waitMs = this.#client?.take(address, nowMs) ?? 0;
    if (waitMs > 0) throw new RateLimitError('Too many events from this client.', waitMs);
  }

  /** @throws RateLimitError when the site has received too much. */
  takeSite(siteId: number, nowMs: number, count: number): void {
    const waitMs = this.#site?.take(String(siteId), nowMs, count) ?? 0;
    if (waitMs > 0) throw new RateLimitError('Too many events for this site.', waitMs);
  }
}

/** A minute's worth may come at once. */
function limiterOf(perMinute: number): RateLimiter {
  return new RateLimiter({ perSecond: perMinute / 60, burst: perMinute });
}
