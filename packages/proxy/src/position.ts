/** A state of the replicated data: the `txid`th transaction, as history stood in `epoch`. */
export interface ProxyPosition {
  readonly epoch: number;
  readonly txid: number;
}

/** What a client says that it has seen. LiteFS's form, a bare txid, belongs to no epoch. */
export interface SeenPosition {
  readonly epoch: number | undefined;
  readonly txid: number;
}

const FORM = /^(?:(?<epoch>[0-9a-f]{1,16})\.(?<txid>[0-9a-f]{1,16})|(?<bare>[0-9a-f]{16}))$/i;

/**
 * Reads `EPOCH.TXID` or LiteFS's 16 digits, in hexadecimal. Returns undefined for anything else and
 * for numbers that cannot be counted exactly.
 */
export function tryParsePosition(text: string): SeenPosition | undefined {
  const parts = FORM.exec(text)?.groups;
  if (parts === undefined) return undefined;
  const txid = Number.parseInt(parts['txid'] ?? parts['bare'] ?? '', 16);
  const epoch = parts['epoch'] === undefined ? undefined : Number.parseInt(parts['epoch'], 16);
  if (!Number.isSafeInteger(txid)) return undefined;
  if (epoch !== undefined && !Number.isSafeInteger(epoch)) return undefined;
  return { epoch, txid };
}

/** The form that `tryParsePosition` reads: the epoch, a point, and the txid with 16 digits. */
export function formatPosition({ epoch, txid }: ProxyPosition): string {
  return `${epoch.toString(16)}.${txid.toString(16).padStart(16, '0')}`;
}

/** Below zero when `a` comes before `b` in history, above when after. */
export function comparePositions(a: ProxyPosition, b: ProxyPosition): number {
  return a.epoch === b.epoch ? a.txid - b.txid : a.epoch - b.epoch;
}
