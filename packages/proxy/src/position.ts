/** A state of one database: its `txid`th transaction, as history stood in `epoch`. */
export interface PositionPoint {
  readonly epoch: number;
  readonly txid: number;
}

/**
 * A state of the replicated data: the last transaction of each database, by a short key of letters,
 * digits, `-` and `_`. The key is empty where there is one database only that counts.
 */
export type ProxyPosition = ReadonlyMap<string, PositionPoint>;

/** What a client says that it has seen. */
export type SeenPosition =
  | { readonly kind: 'points'; readonly points: ProxyPosition }
  /** More databases than a cookie can name: whatever the primary has by now. */
  | { readonly kind: 'latest' }
  /** LiteFS's form, a bare txid, belongs to no epoch and to the only database. */
  | { readonly kind: 'bare'; readonly txid: number };

/** More databases are not named one by one, so that a cookie stays below 1.5 kB. */
export const POINTS_MAX = 32;
const LATEST = '*';
const POINT = /^(?:(?<key>[\w-]{1,16}):)?(?<epoch>[0-9a-f]{1,16})\.(?<txid>[0-9a-f]{1,16})$/i;
const BARE = /^[0-9a-f]{16}$/i;
const DIGITS = 16;

/**
 * Reads `EPOCH.TXID`, `KEY:EPOCH.TXID+KEY:EPOCH.TXID…`, `*`, or LiteFS's 16 digits, the numbers in
 * hexadecimal. Returns undefined for anything else and for numbers that cannot be counted exactly.
 */
export function tryParsePosition(text: string): SeenPosition | undefined {
  if (text === LATEST) return { kind: 'latest' };
  if (BARE.test(text)) {
    const txid = Number.parseInt(text, 16);
    return Number.isSafeInteger(txid) ? { kind: 'bare', txid } : undefined;
  }
  const parts = text.split('+', POINTS_MAX + 1);
  const points = new Map<string, PositionPoint>();
  for (const part of parts) {
    const { key = '', epoch = '', txid = '' } = POINT.exec(part)?.groups ?? {};
    const point = { epoch: Number.parseInt(epoch, 16), txid: Number.parseInt(txid, 16) };
    const isPoint = Number.isSafeInteger(point.epoch) && Number.isSafeInteger(point.txid);
    if (!isPoint || points.has(key)) return undefined;
    points.set(key, point);
  }
  const isAlone = points.size === 1 || !points.has('');
  return isAlone && points.size <= POINTS_MAX ? { kind: 'points', points } : undefined;
}

/** The form that `tryParsePosition` reads. */
export function formatPosition(position: ProxyPosition): string {
  if (position.size > POINTS_MAX) return LATEST;
  const sorted = [...position].sort(([a], [b]) => (a < b ? -1 : 1));
  return sorted.map(([key, point]) => formatPoint(key, point)).join('+');
}

/** Whether whoever is at `position` has all that `wanted` names, without asking history. */
export function covers(position: ProxyPosition | undefined, wanted: ProxyPosition): boolean {
  return [...wanted].every(([key, { epoch, txid }]) => {
    const point = position?.get(key);
    return point?.epoch === epoch && point.txid >= txid;
  });
}

/** For each database the later of two points. */
export function joinPositions(a: ProxyPosition, b: ProxyPosition): ProxyPosition {
  const joined = new Map(a);
  for (const [key, point] of b) {
    const other = joined.get(key);
    if (other === undefined || comparePoints(point, other) > 0) joined.set(key, point);
  }
  return joined;
}

/** What a client has seen that says two things of it. */
export function joinSeen(a: SeenPosition, b: SeenPosition): SeenPosition {
  if (a.kind === 'latest' || b.kind === 'latest') return { kind: 'latest' };
  if (a.kind === 'points' && b.kind === 'points') {
    return { kind: 'points', points: joinPositions(a.points, b.points) };
  }
  if (a.kind === 'bare' && b.kind === 'bare') return a.txid > b.txid ? a : b;
  return a.kind === 'points' ? a : b;
}

/** Below zero when `a` comes before `b` in history, above when after. */
export function comparePoints(a: PositionPoint, b: PositionPoint): number {
  return a.epoch === b.epoch ? a.txid - b.txid : a.epoch - b.epoch;
}

function formatPoint(key: string, { epoch, txid }: PositionPoint): string {
  if (key === '') return `${epoch.toString(16)}.${txid.toString(16).padStart(DIGITS, '0')}`;
  return `${key}:${epoch.toString(16)}.${txid.toString(16)}`;
}
