import { requestFacts as factsOf, type RequestFacts, type RequestHeaders } from '@loggia/ingest';
import type { Services } from './services.ts';

/** What all kinds of requests have in common: who sends, and the headers. */
export interface HttpRequest {
  readonly headers: RequestHeaders;
  readonly socket: { readonly remoteAddress?: string | undefined };
}

/** What `request` tells about its sender, as far as the configuration lets it be believed. */
export function requestFacts(
  request: HttpRequest,
  { clock, geoNetworks, proxyTrust }: Services,
): RequestFacts {
  return factsOf({
    socketAddress: request.socket.remoteAddress,
    headers: request.headers,
    trust: proxyTrust,
    geoNetworks,
    nowMs: clock.nowMs(),
  });
}
