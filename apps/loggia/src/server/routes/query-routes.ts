import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import {
  answerQuery,
  answerV1,
  currentVisitorsStatement,
  parseAggregate,
  parseBreakdown,
  parseQuery,
  parseTimeseries,
} from '@loggia/reports';
import { executor, queryContext } from '../ask.ts';
import { RateLimitError } from '../event-limits.ts';
import { parseJson } from '../read-body.ts';
import type { Services } from '../services.ts';
import { siteNamed } from './site-routes.ts';

const QUERY_BODY_BYTES_MAX = 1_000_000;

/** Plausible's Stats API: version 2, and version 1 for the clients that still use it. */
export function addQueryRoutes(app: FastifyInstance, services: Services): void {
  app.post('/api/v2/query', {
    config: { access: 'stats:read' },
    bodyLimit: QUERY_BODY_BYTES_MAX,
    handler: async (request, reply) => {
      takeQueryLimit(request, services);
      const query = parseQuery(parseJson(request.body));
      const context = queryContext(siteNamed(query.siteId, services), services);
      return answerQuery(query, context, executor(services, goneSignal(reply)));
    },
  });
  app.get('/api/v1/stats/realtime/visitors', {
    config: { access: 'stats:read' },
    handler: async (request, reply) => {
      takeQueryLimit(request, services);
      const site = siteNamed(searchParams(request)['site_id'], services);
      const statement = currentVisitorsStatement(site.id, services.clock.nowMs());
      const { rows } = await executor(services, goneSignal(reply))(statement);
      return reply.type('application/json').send(String(Number(rows[0]?.[0] ?? 0)));
    },
  });
  const parsers = {
    aggregate: parseAggregate,
    timeseries: parseTimeseries,
    breakdown: parseBreakdown,
  };
  for (const [name, parse] of Object.entries(parsers))
    addVersionOneRoute(app, services, name, parse);
}

function addVersionOneRoute(
  app: FastifyInstance,
  services: Services,
  name: string,
  parse: typeof parseAggregate,
): void {
  app.get(`/api/v1/stats/${name}`, {
    config: { access: 'stats:read' },
    handler: async (request, reply) => {
      takeQueryLimit(request, services);
      const params = searchParams(request);
      const context = queryContext(siteNamed(params['site_id'], services), services);
      return answerV1(parse(params), context, executor(services, goneSignal(reply)));
    },
  });
}

/** The search parameters; of one that is given several times, the last counts. */
function searchParams(request: FastifyRequest): Readonly<Record<string, string | undefined>> {
  const params: Record<string, string | undefined> = {};
  for (const [name, value] of Object.entries(request.query as Record<string, unknown>)) {
    const last: unknown = Array.isArray(value) ? value.at(-1) : value;
    if (typeof last === 'string') params[name] = last;
  }
  return params;
}

/** @throws RateLimitError when this key or person has asked too often. */
function takeQueryLimit(request: FastifyRequest, services: Services): void {
  const { caller } = request;
  if (caller.kind === 'anybody') return;
  const waitMs = services.queryLimit?.take(`${caller.kind}${caller.id}`, services.clock.nowMs());
  if (waitMs !== undefined && waitMs > 0) throw new RateLimitError('Too many queries.', waitMs);
}

/** Aborted when the client goes away before it has its answer. */
function goneSignal(reply: FastifyReply): AbortSignal {
  const gone = new AbortController();
  reply.raw.once('close', () => {
    if (!reply.raw.writableFinished) gone.abort();
  });
  return gone.signal;
}
