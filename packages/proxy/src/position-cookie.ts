import {
  formatPosition,
  tryParsePosition,
  type ProxyPosition,
  type SeenPosition,
} from './position.ts';

/** LiteFS's name, so that clients which come from there go on. */
export const POSITION_COOKIE = '__txid';

/** How the cookie is set. */
export interface CookieOptions {
  readonly maxAgeS: number;
  readonly isSecure: boolean;
}

/**
 * The position in a `Cookie` header. Of several, which a browser sends when paths differ, the first
 * readable one counts, as it is the most specific. Text that is no position is no cookie.
 */
export function cookiePosition(header: string | undefined): SeenPosition | undefined {
  if (header === undefined) return undefined;
  for (const pair of header.split(';')) {
    const equals = pair.indexOf('=');
    if (equals === -1 || pair.slice(0, equals).trim() !== POSITION_COOKIE) continue;
    const value = pair.slice(equals + 1).trim();
    const position = tryParsePosition(value.replace(/^"(?<inner>.*)"$/, '$<inner>'));
    if (position !== undefined) return position;
  }
  return undefined;
}

/** The value of a `Set-Cookie` header for `position`. */
export function positionCookie(position: ProxyPosition, options: CookieOptions): string {
  const value = `${POSITION_COOKIE}=${formatPosition(position)}`;
  const attributes = `Path=/; Max-Age=${options.maxAgeS}; HttpOnly; SameSite=Lax`;
  return `${value}; ${attributes}${options.isSecure ? '; Secure' : ''}`;
}
