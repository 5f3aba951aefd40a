import type { SampleEvents } from './sample-events.ts';

/** Items that one batch may have. */
export const BATCH_ITEMS = 10_000;
/** When the first event of the batches happens. */
export const BATCH_FIRST_MS = Date.UTC(2025, 11, 1);
/** One event follows another after this; a million of them take some 29 days. */
const STEP_MS = 2500;

/** The body of batch number `index`: a JSON array of `BATCH_ITEMS` items with ascending times. */
export function batchBody(events: SampleEvents, index: number, withIds: boolean): string {
  const items = Array.from({ length: BATCH_ITEMS }, (_, position) => {
    const number = index * BATCH_ITEMS + position;
    const { body, address, userAgent } = events.next();
    return {
      ...body,
      timestamp: BATCH_FIRST_MS + number * STEP_MS,
      ip: address,
      user_agent: userAgent,
      ...(withIds ? { id: `bench-${number}` } : {}),
    };
  });
  return JSON.stringify(items);
}
