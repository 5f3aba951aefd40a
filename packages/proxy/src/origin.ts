import { createHash, timingSafeEqual } from 'node:crypto';
import { fieldValues, listMembers, type RawHeaders } from './raw-headers.ts';

/** Says that a request comes from another node's proxy. Never reaches an application. */
export const FORWARD_HEADER = 'Tandem-Forward';
/** On an answer between proxies: the request was not carried out and may be sent elsewhere. */
export const REFUSED_HEADER = 'Tandem-Refused';
export const POSITION_HEADER = 'Tandem-Position';
/** The code of an error that the proxy answers itself. */
export const ERROR_HEADER = 'Tandem-Error';

const VIA_PREFIX = 'tandem-';

/** Who sent a request, as far as it matters. */
export interface Origin {
  /** It comes from another node's proxy, proved by the token or, where there is none, claimed. */
  readonly isPeer: boolean;
  /** The token proves it: what it says of the client's address is true. */
  readonly isTrusted: boolean;
  /** Proxies of nodes that it has been through already. */
  readonly hops: number;
  /** It has been through this very proxy. */
  readonly isLoop: boolean;
}

/** The name under which a proxy signs `Via`. */
export function viaName(proxyId: string): string {
  return `${VIA_PREFIX}${proxyId}`;
}

/**
 * Hops are counted in `Via`, which whoever forwards must extend and must not cut. Where the proxies
 * share a token, a request without it is a client's, whatever its `Via` says; a loop through this
 * proxy is recognised all the same, by a name that nobody can guess before.
 */
export function originOf(
  headers: RawHeaders,
  proxyId: string,
  forwardToken: string | undefined,
): Origin {
  const claims = fieldValues(headers, FORWARD_HEADER.toLowerCase());
  const isTrusted =
    forwardToken !== undefined && claims.length === 1 && isSame(claims[0] ?? '', forwardToken);
  const names = listMembers(headers, 'via').map((member) => member.split(/\s+/)[1] ?? '');
  const isLoop = names.includes(viaName(proxyId));
  const proxies = names.filter((name) => name.startsWith(VIA_PREFIX)).length;
  const isPeer = isTrusted || isLoop || (forwardToken === undefined && proxies > 0);
  return { isPeer, isTrusted, hops: isPeer ? proxies : 0, isLoop };
}

function isSame(claimed: string, token: string): boolean {
  const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(claimed), digest(token));
}
