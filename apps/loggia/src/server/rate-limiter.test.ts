import { describe, expect, it } from 'vitest';
import { RateLimiter } from './rate-limiter.ts';

describe('RateLimiter', () => {
  it('lets a burst through and then what time gives back', () => {
    const limiter = new RateLimiter({ perSecond: 2, burst: 3 });
    expect([0, 0, 0].map(() => limiter.take('a', 1000))).toEqual([0, 0, 0]);
    expect(limiter.take('a', 1000)).toBe(500);
    expect(limiter.take('a', 1499)).toBe(1);
    expect(limiter.take('a', 1500)).toBe(0);
    expect(limiter.take('a', 1500)).toBe(500);
  });

  it('keeps the names apart', () => {
    const limiter = new RateLimiter({ perSecond: 1, burst: 1 });
    expect(limiter.take('a', 0)).toBe(0);
    expect(limiter.take('b', 0)).toBe(0);
    expect(limiter.take('a', 0)).toBe(1000);
  });

  it('lets something larger than a burst through once the bucket is full', () => {
    const limiter = new RateLimiter({ perSecond: 10, burst: 100 });
    expect(limiter.take('a', 0, 1000)).toBe(0);
    expect(limiter.take('a', 0, 1000)).toBe(100_000);
    expect(limiter.take('a', 100_000, 1)).toBe(0);
  });

  it('does not give tokens for a clock that goes back', () => {
    const limiter = new RateLimiter({ perSecond: 1, burst: 1 });
    expect(limiter.take('a', 10_000)).toBe(0);
    expect(limiter.take('a', 5000)).toBe(1000);
    expect(limiter.take('a', 6000)).toBe(0);
  });
});
