/** Bounds of the HTTP interface. */
export interface HttpLimits {
  /** Request line and headers together. */
  readonly headerBytesMax: number;
  readonly headerTimeoutMs: number;
  /** Bodies of JSON. */
  readonly bodyBytesMax: number;
  readonly bodyTimeoutMs: number;
  readonly importBytesMax: number;
  readonly exportsMax: number;
  /** A client who neither takes nor sends anything for so long is let go. */
  readonly stallTimeoutMs: number;
  /** For a promotion or a hand-off. */
  readonly operationTimeoutMs: number;
  /** How many events a reader may be behind; LiteFS has the same. */
  readonly eventsMax: number;
  readonly eventReadersMax: number;
  /** Between two signs of life to readers of server-sent events. */
  readonly eventHeartbeatMs: number;
  /** How long a server that closes waits for answers under way. */
  readonly closeTimeoutMs: number;
  readonly connectionsMax: number;
}

export const HTTP_LIMITS: HttpLimits = {
  headerBytesMax: 16_384,
  headerTimeoutMs: 10_000,
  bodyBytesMax: 65_536,
  bodyTimeoutMs: 10_000,
  importBytesMax: 2 ** 40,
  exportsMax: 4,
  stallTimeoutMs: 60_000,
  operationTimeoutMs: 30_000,
  eventsMax: 1024,
  eventReadersMax: 256,
  eventHeartbeatMs: 15_000,
  closeTimeoutMs: 5000,
  connectionsMax: 1024,
};
