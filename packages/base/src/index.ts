export { assert, AssertionError } from './assert.ts';
export { BaseError } from './base-error.ts';
export type { ErrorDetails } from './base-error.ts';
export { systemClock } from './clock.ts';
export type { Clock } from './clock.ts';
export { LruCache } from './lru-cache.ts';
export { BoundedQueue } from './bounded-queue.ts';
export { ZoneRules, addToDate, isTimeZone } from './zone-rules.ts';
export type { LocalDate, OffsetSpan } from './zone-rules.ts';
