import type { IncomingMessage } from 'node:http';
import { requestFacts as factsOf, type RequestFacts } from '@loggia/ingest';
import type { Services } from './services.ts';

/** What Node's and the framework's requests have in common: who sends, and the headers. */
export type HttpRequest = Pick<IncomingMessage, 'headers' | 'socket'>;

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
