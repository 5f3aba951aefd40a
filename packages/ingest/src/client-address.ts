import { PRIVATE_RANGES } from '@tandem/base';
import { normaliseAddress } from './address.ts';
import { AddressSet } from './address-set.ts';
import { forwardedFor } from './forwarded-header.ts';
import { headerText, type RequestHeaders } from './request-headers.ts';

/** Which peers may speak for others, and how they do. */
export interface ProxyTrust {
  /** The proxies whose headers are believed. */
  readonly proxies: AddressSet;
  /**
   * The header that they write, in lower case. Null means the first present of `x-forwarded-for`,
   * `forwarded` and `x-real-ip`. Name it when the proxy writes one of them and passes the others
   * on as the client sent them; `cf-connecting-ip` and its like are only read when named.
   */
  readonly header: string | null;
}

/** Trusts peers in private networks, by the usual headers. */
export const DEFAULT_TRUST: ProxyTrust = {
  proxies: new AddressSet(PRIVATE_RANGES),
  header: null,
};

/** Whose request it is. */
export interface Client {
  /** In the form of `normaliseAddress`; null only when the socket had no address any more. */
  readonly address: string | null;
  /** Whether the peer is a trusted proxy, so that its other headers may be believed too. */
  readonly isProxied: boolean;
}

const USUAL_HEADERS = ['x-forwarded-for', 'forwarded', 'x-real-ip'];
/** More hops than any honest chain has; what is left of them is not read. */
const HOPS_MAX = 32;
const HEADER_LENGTH_MAX = 8192;

/**
 * The client behind `request`: the socket's peer, or, when that is a trusted proxy, the nearest
 * address that no trusted proxy has. A header is a chain to which each proxy adds its peer at the
 * right, so it is read from the right and only as far as trusted proxies wrote it: what a client
 * puts in front is never reached. At a hop that is no address (`unknown`, `_hidden`, rubbish)
 * reading stops at the proxy that wrote it.
 */
export function clientAddress(request: {
  readonly socketAddress: string | undefined;
  readonly headers: RequestHeaders;
  readonly trust: ProxyTrust;
}): Client {
  const { headers, trust } = request;
  const peer = normaliseAddress(request.socketAddress ?? '');
  if (peer === null || !trust.proxies.has(peer)) return { address: peer, isProxied: false };
  let client = peer;
  for (const hop of hopsFromRight(headers, trust.header)) {
    const address = normaliseAddress(hop);
    if (address === null) break;
    client = address;
    if (!trust.proxies.has(address)) break;
  }
  return { address: client, isProxied: true };
}

function hopsFromRight(headers: RequestHeaders, named: string | null): readonly string[] {
  for (const name of named === null ? USUAL_HEADERS : [named]) {
    const text = headerText(headers, name);
    if (text === null) continue;
    // The right end is the trustworthy one, so it is the left that gets cut.
    const tail = text.slice(-HEADER_LENGTH_MAX);
    const hops = name === 'forwarded' ? forwardedFor(text) : tail.split(',');
    return hops.slice(-HOPS_MAX).reverse();
  }
  return [];
}
