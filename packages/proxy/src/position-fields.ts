import { POSITION_HEADER } from './origin.ts';
import { positionCookie, type CookieOptions } from './position-cookie.ts';
import {
  comparePositions,
  formatPosition,
  type ProxyPosition,
  type SeenPosition,
} from './position.ts';

/** What a client has seen, and what the answer shows it. */
export interface Showing {
  readonly seen: SeenPosition | undefined;
  /** `seen` is of a lost history. */
  readonly isForgiven: boolean;
  /** A position that covers the answer. */
  readonly shown: ProxyPosition | undefined;
}

/**
 * The fields that tell a client how far it has seen. The cookie only ever moves on, except away from
 * a lost history: an answer of a node that is behind does not shorten what the client has seen of
 * another.
 */
export function positionFields(
  { seen, isForgiven, shown }: Showing,
  cookie: CookieOptions,
): readonly string[] {
  if (shown === undefined) return [];
  const fields = [POSITION_HEADER, formatPosition(shown)];
  const isNews = seen?.epoch === undefined || isForgiven || isNewer(shown, seen.epoch, seen.txid);
  if (isNews) fields.push('Set-Cookie', positionCookie(shown, cookie));
  return fields;
}

function isNewer(shown: ProxyPosition, epoch: number, txid: number): boolean {
  return comparePositions(shown, { epoch, txid }) > 0;
}
