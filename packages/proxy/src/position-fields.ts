import { POSITION_HEADER } from './origin.ts';
import { positionCookie, type CookieOptions } from './position-cookie.ts';
import {
  formatPosition,
  joinPositions,
  type ProxyPosition,
  type SeenPosition,
} from './position.ts';

/** What a client has seen, and what the answer shows it. */
export interface Showing {
  readonly seen: SeenPosition | undefined;
  /** Of `seen`, something is of a lost history, and the answer rests on all the rest. */
  readonly isForgiven: boolean;
  /** A position that covers the answer. */
  readonly shown: ProxyPosition | undefined;
  /** The primary has answered: a database that it does not name is no more. */
  readonly isPrimary: boolean;
}

/**
 * The fields that tell a client how far it has seen. The cookie only ever moves on, except away from
 * a lost history: an answer of a node that is behind does not shorten what the client has seen of
 * another.
 */
export function positionFields(showing: Showing, cookie: CookieOptions): readonly string[] {
  const { shown } = showing;
  if (shown === undefined) return [];
  const fields = [POSITION_HEADER, formatPosition(shown)];
  const next = nextPosition(showing, shown);
  const text = formatPosition(next);
  if (showing.seen?.kind !== 'points' || text !== formatPosition(showing.seen.points)) {
    fields.push('Set-Cookie', positionCookie(next, cookie));
  }
  return fields;
}

/** A client that has seen the latest was made to wait for it, so what it is shown covers it. */
function nextPosition(
  { seen, isForgiven, isPrimary }: Showing,
  shown: ProxyPosition,
): ProxyPosition {
  if (seen?.kind !== 'points' || isForgiven) return shown;
  const kept = [...seen.points].filter(([key]) => !isPrimary || shown.has(key));
  return joinPositions(new Map(kept), shown);
}
