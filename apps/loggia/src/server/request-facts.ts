import type { FastifyRequest } from 'fastify';
import { requestFacts as factsOf, type RequestFacts } from '@loggia/ingest';
import type { Services } from './services.ts';

/** What `request` tells about its sender, as far as the configuration lets it be believed. */
export function requestFacts(request: FastifyRequest, services: Services): RequestFacts {
  return factsOf({
    socketAddress: request.raw.socket.remoteAddress,
    headers: request.headers,
    trust: services.proxyTrust,
    geoNetworks: services.geoNetworks,
    nowMs: services.clock.nowMs(),
  });
}
