import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { parseEvent } from '@loggia/ingest';
import type { EventIntake, IntakeResult } from '../event-intake.ts';
import { parseJson } from '../read-body.ts';
import { requestFacts } from '../request-facts.ts';
import type { Services } from '../services.ts';

const EVENT_BODY_BYTES_MAX = 1_000_000;
/** A transparent image of one pixel. */
const PIXEL = Buffer.from('R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7', 'base64');

/** Events from browsers: `POST /api/event` and the image for pages without script. */
export function addEventRoutes(
  app: FastifyInstance,
  services: Services,
  intake: EventIntake,
): void {
  app.post('/api/event', {
    config: { access: 'public' },
    bodyLimit: EVENT_BODY_BYTES_MAX,
    handler: async (request, reply) => {
      const facts = requestFacts(request, services);
      services.eventLimits.takeClient(facts.address ?? '', facts.nowMs);
      const parsed = parseEvent(parseJson(request.body));
      if (!parsed.ok) return refuse(reply, parsed.errors, services);
      const result = await intake.accept(parsed.event, facts);
      if (request.headers['x-debug-request'] === 'true') {
        return dropHeaders(reply, result)
          .code(200)
          .type('text/plain')
          .send(facts.address ?? '');
      }
      return dropHeaders(reply, result).code(202).type('text/plain').send('ok');
    },
  });
  app.options('/api/event', {
    config: { access: 'public' },
    handler: async (_request, reply) =>
      crossOrigin(reply)
        .header('access-control-allow-methods', 'POST, OPTIONS')
        .header('access-control-allow-headers', 'content-type, x-debug-request')
        .header('access-control-max-age', '86400')
        .code(204)
        .send(),
  });
  app.get('/pixel.gif', {
    config: { access: 'public' },
    handler: (request, reply) => pixel(request, reply, services, intake),
  });
  app.addHook('onSend', async (request, reply) => {
    if (request.routeOptions.url === '/api/event') crossOrigin(reply);
  });
}

/** Lets pages of any origin read the answer. Events carry no credentials. */
function crossOrigin(reply: FastifyReply): FastifyReply {
  return reply
    .header('access-control-allow-origin', '*')
    .header('access-control-expose-headers', 'x-loggia-dropped, x-plausible-dropped');
}

function refuse(
  reply: FastifyReply,
  errors: readonly string[],
  { metrics }: Services,
): FastifyReply {
  metrics.refused('bad_event');
  return reply.code(400).send({ error: errors.join(' '), code: 'bad_event', errors });
}

function dropHeaders(reply: FastifyReply, result: IntakeResult): FastifyReply {
  if (result.dropped.length === 0) return reply;
  return reply
    .header('x-loggia-dropped', Array.from(new Set(result.dropped)).join(', '))
    .header('x-plausible-dropped', String(result.dropped.length));
}

/**
 * A page view told by an image: the site in `d`, the page in `u` or else the referrer of the image,
 * and optionally `n`, `r` and other fields of an event. The image is sent whatever comes of it.
 */
async function pixel(
  request: FastifyRequest,
  reply: FastifyReply,
  services: Services,
  intake: EventIntake,
): Promise<FastifyReply> {
  const facts = requestFacts(request, services);
  services.eventLimits.takeClient(facts.address ?? '', facts.nowMs);
  const query = request.query as Readonly<Record<string, unknown>>;
  const parsed = parseEvent({ n: 'pageview', u: request.headers.referer, ...query });
  reply.type('image/gif').header('cache-control', 'no-store, private');
  if (!parsed.ok) {
    services.metrics.refused('bad_event');
    return reply.header('x-loggia-error', 'bad_event').code(400).send(PIXEL);
  }
  dropHeaders(reply, await intake.accept(parsed.event, facts));
  return reply.send(PIXEL);
}
