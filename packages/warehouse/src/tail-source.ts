import type { PackedRows } from '@loggia/contract';
import type { ArchiveSource } from './archive-source.ts';

/** Where the journal stands. */
export interface TailHead {
  /** The greatest event id ever committed, 0 when there is none. */
  readonly eventId: number;
  /** The greatest change number ever given to a visit, 0 when there is none. */
  readonly visitChange: number;
  /** Changes when the rows before it may no longer be the same, as after a restore. */
  readonly epoch: number;
}

/**
 * The journal as the warehouse follows it. All calls are synchronous and may throw.
 *
 * In packed rows integers are decimal, flags 0 or 1, properties JSON text.
 */
export interface TailSource {
  head(): TailHead;
  /** The events that follow id `afterId`, `rowsMax` at most; `EVENT_COLUMNS` order. */
  packEvents(afterId: number, rowsMax: number): PackedRows;
  /**
   * The visits whose change numbers follow `afterChange`, each in its newest state; `VISIT_COLUMNS`
   * order, and `last` is a change number. Visits of one number come in one answer, which may
   * therefore have more than `rowsMax` rows.
   */
  packVisits(afterChange: number, rowsMax: number): PackedRows;
  /**
   * Runs `body` so that all its reads see one committed state. Without it, a commit that falls
   * between two reads shows in the second only, until the next catch-up.
   */
  snapshot?<Result>(body: () => Result): Result;
  /** What has left the tail; a source that never seals has none. */
  readonly archive?: ArchiveSource;
}
