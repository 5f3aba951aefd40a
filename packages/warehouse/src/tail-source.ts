/** Where the journal stands. */
export interface TailHead {
  /** The greatest event id ever committed, 0 when there is none. */
  readonly eventId: number;
  /** The greatest change number ever given to a visit, 0 when there is none. */
  readonly visitChange: number;
  /** Changes when the rows before it may no longer be the same, as after a restore. */
  readonly epoch: number;
}

/** One row of the journal, values in the order of the column table. */
export type TailRow = readonly unknown[];

/**
 * The journal as the warehouse follows it. All calls are synchronous and may throw.
 *
 * Integers may be numbers or bigints, `int64` is a bigint, flags are 0 or 1, properties are JSON
 * text or null.
 */
export interface TailSource {
  head(): TailHead;
  /** Events with an id above `afterId`, ascending, `rowsMax` at most; `EVENT_COLUMNS` order. */
  readEvents(afterId: number, rowsMax: number): readonly TailRow[];
  /**
   * Visits with a change number above `afterChange`, ascending by it, each in its newest state;
   * `VISIT_COLUMNS` order and the change number as last element. Visits of one number come in one
   * answer, which may therefore have more than `rowsMax` rows.
   */
  readVisits(afterChange: number, rowsMax: number): readonly TailRow[];
  /**
   * Runs `body` so that all its reads see one committed state. Without it, a commit that falls
   * between two reads shows in the second only, until the next catch-up.
   */
  snapshot?<Result>(body: () => Result): Result;
}
