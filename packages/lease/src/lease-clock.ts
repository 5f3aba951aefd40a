/** The two clocks that a lease needs. Only differences of either are ever looked at. */
export interface LeaseClock {
  /** Milliseconds of a clock that nobody sets and that never goes back. */
  monotonicMs(): number;
  /** Milliseconds since the Unix epoch. It may be wrong by any amount. */
  wallMs(): number;
}

/** The clocks of this thread: `performance.now()` and `Date.now()`. */
export const systemLeaseClock: LeaseClock = {
  monotonicMs: () => performance.now(),
  wallMs: () => Date.now(),
};
