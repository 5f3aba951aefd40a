/** How far a replica's database is behind the primary's. */
export interface LagReading {
  /** Transactions the primary is known to have and this node has not applied. */
  readonly transactions: number;
  /** Bytes of log for them, by the primary's count. */
  readonly bytes: number;
  /** Since when the database has not been all that the primary had. */
  readonly seconds: number;
}

/** At this time the primary had this transaction. */
interface Mark {
  readonly txid: number;
  readonly atMs: number;
}

/** When there would be more, they become coarser. */
const MARKS_MAX = 256;

/**
 * The lag of one database of a replica, from what its stream brings. All times are on this node's
 * monotonic clock, `nowMs`. The primary's clock is brought over to it by the largest difference seen
 * in a stream, which is that of the heartbeat that was under way for the shortest time: a heartbeat
 * that waited in buffers therefore shows as lag, and neither node's idea of the date matters.
 */
export class ReplicationLag {
  /** The primary's clock less ours. */
  #offsetMs: number | undefined;
  /** When the primary was last known to be where it said it was. */
  #heardAtMs: number | undefined;
  #isConnected = false;
  #headTxid = 0;
  #appliedTxid = 0;
  #bytes = 0;
  #marks: Mark[] = [];
  #resolutionMs = 1;

  /** A stream has begun, perhaps to another primary. The database is at `appliedTxid`. */
  begin(appliedTxid: number): void {
    this.#isConnected = true;
    this.#offsetMs = undefined;
    this.#bytes = 0;
    this.#setApplied(appliedTxid);
  }

  /** The stream has ended. */
  end(): void {
    this.#isConnected = false;
  }

  /** A heartbeat: at `clockMs` of its clock, the primary lived, with this position if it gives one. */
  heard(clockMs: number, nowMs: number, head?: { txid: number; unsentBytes: number }): void {
    const offsetMs = clockMs - nowMs;
    this.#offsetMs = Math.max(this.#offsetMs ?? offsetMs, offsetMs);
    const sentAtMs = clockMs - this.#offsetMs;
    if (head !== undefined) {
      // Anything new came after the last time the primary was heard of.
      this.#lowerHead(head.txid);
      this.#setHead(head.txid, this.#heardAtMs ?? sentAtMs);
      this.#bytes = head.unsentBytes;
    }
    this.#heardAtMs = Math.max(this.#heardAtMs ?? sentAtMs, sentAtMs);
  }

  /** A file of so many bytes has begun to arrive. */
  received(maxTxid: number, byteCount: number, nowMs: number): void {
    this.#setHead(maxTxid, nowMs);
    this.#bytes = Math.max(this.#bytes, byteCount);
  }

  /** Everything through `txid` is applied, the last `byteCount` bytes of log with it. */
  applied(txid: number, byteCount: number): void {
    this.#bytes = Math.max(0, this.#bytes - byteCount);
    this.#setApplied(txid);
  }

  /**
   * The lag now; undefined before a primary has ever been heard. A database that has everything shows
   * 0 seconds, unless the primary was last heard longer than `quietMsMax` ago: then it shows that.
   */
  read(nowMs: number, quietMsMax: number): LagReading | undefined {
    if (this.#heardAtMs === undefined) return undefined;
    const transactions = Math.max(0, this.#headTxid - this.#appliedTxid);
    const quietMs = nowMs - this.#heardAtMs;
    const isFresh = this.#isConnected && quietMs <= quietMsMax;
    const behindMs = nowMs - (this.#marks[0]?.atMs ?? nowMs);
    const lagMs = transactions > 0 ? behindMs : isFresh ? 0 : quietMs;
    return {
      transactions,
      bytes: transactions > 0 ? this.#bytes : 0,
      seconds: Math.max(0, lagMs) / 1000,
    };
  }

  /** A new primary may have less than the one before. */
  #lowerHead(txid: number): void {
    if (txid >= this.#headTxid) return;
    this.#headTxid = txid;
    this.#marks = this.#marks.filter((mark) => mark.txid <= txid);
  }

  #setHead(txid: number, sinceMs: number): void {
    if (txid <= this.#headTxid) return;
    this.#headTxid = txid;
    if (txid <= this.#appliedTxid) return;
    join(this.#marks, { txid, atMs: sinceMs }, this.#resolutionMs);
    while (this.#marks.length > MARKS_MAX) {
      this.#resolutionMs *= 2;
      const joined: Mark[] = [];
      for (const mark of this.#marks) join(joined, mark, this.#resolutionMs);
      this.#marks = joined;
    }
  }

  #setApplied(txid: number): void {
    this.#appliedTxid = txid;
    this.#marks = this.#marks.filter((mark) => mark.txid > txid);
    if (this.#marks.length === 0) this.#resolutionMs = 1;
  }
}

/** Adds a mark, or makes the last one reach as far, when they are close, with its earlier time. */
function join(marks: Mark[], mark: Mark, resolutionMs: number): void {
  const last = marks.at(-1);
  const isClose = last !== undefined && mark.atMs - last.atMs < resolutionMs;
  if (isClose) marks[marks.length - 1] = { txid: mark.txid, atMs: last.atMs };
  else marks.push(mark);
}

/** The lags of a replica's databases, which outlive its streams. */
export class ReplicationLags {
  readonly #lags = new Map<string, ReplicationLag>();

  /** The lag of a database; a new one, of a database with nothing applied, when there is none. */
  of(name: string): ReplicationLag {
    const known = this.#lags.get(name);
    if (known !== undefined) return known;
    const lag = new ReplicationLag();
    lag.begin(0);
    this.#lags.set(name, lag);
    return lag;
  }

  /** The database is gone. */
  drop(name: string): void {
    this.#lags.delete(name);
  }

  /** A heartbeat about all databases; `heads` has those that have moved. See `ReplicationLag.heard`. */
  heard(
    clockMs: number,
    nowMs: number,
    heads: ReadonlyMap<string, { readonly txid: number; readonly unsentBytes: number }>,
  ): void {
    for (const name of heads.keys()) this.of(name);
    for (const [name, lag] of this.#lags) lag.heard(clockMs, nowMs, heads.get(name));
  }

  /** The stream has ended. */
  end(): void {
    for (const lag of this.#lags.values()) lag.end();
  }

  /** The lags of all databases of which a primary has been heard; see `ReplicationLag.read`. */
  read(nowMs: number, quietMsMax: number): Map<string, LagReading> {
    const readings = new Map<string, LagReading>();
    for (const [name, lag] of this.#lags) {
      const reading = lag.read(nowMs, quietMsMax);
      if (reading !== undefined) readings.set(name, reading);
    }
    return readings;
  }
}
