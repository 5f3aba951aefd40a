/**
 * When a record was first seen as it is now. Durations in a record are counted from there, on the
 * own monotonic clock; times in it are never compared with any clock, so that clocks may be wrong
 * by any amount (L4).
 */
export class LeaseObservation {
  #record: string | undefined;
  #sinceMs = 0;

  /** Notes what the record is at `nowMs`, and returns since when it has been so. */
  note(record: string, nowMs: number): number {
    if (record !== this.#record) {
      this.#record = record;
      this.#sinceMs = nowMs;
    }
    return this.#sinceMs;
  }
}
