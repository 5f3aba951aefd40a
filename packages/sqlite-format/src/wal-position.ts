/** A point in a WAL from which its frames can be verified or written on. Plain data to be kept. */
export interface WalPosition {
  /** The last frame before the point, counted from 1; 0 before the first. */
  readonly frame: number;
  /** First half of the running checksum after that frame. */
  readonly s0: number;
  /** Second half of the running checksum after that frame. */
  readonly s1: number;
}
