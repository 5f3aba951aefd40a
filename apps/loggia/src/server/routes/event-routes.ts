import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { parseEvent } from '@loggia/ingest';
import {
  CROSS_ORIGIN_HEADERS,
  EVENT_BODY_BYTES_MAX,
  EVENT_PATH,
  dropHeaders,
  type EventAnswer,
  type EventEndpoint,
} from '../event-endpoint.ts';
import type { EventIntake, IntakeResult } from '../event-intake.ts';
import { requestFacts } from '../request-facts.ts';
import type { Services } from '../services.ts';

/** A transparent image of one pixel. */
const PIXEL = Buffer.from('R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7', 'base64');

/** What takes events in. */
interface EventTakers {
  readonly intake: EventIntake;
  readonly endpoint: EventEndpoint;
}

/** Events from browsers: `POST /api/event` and the image for pages without script. */
export function addEventRoutes(
  app: FastifyInstance,
  services: Services,
  { intake, endpoint }: EventTakers,
): void {
  app.post(EVENT_PATH, {
    config: { access: 'public' },
    bodyLimit: EVENT_BODY_BYTES_MAX,
    handler: async (request, reply) => {
      const { promise, resolve } = Promise.withResolvers<EventAnswer>();
      endpoint.answer(request, request.body, resolve);
      const { status, headers, body } = await promise;
      return reply.code(status).headers(headers).send(body);
    },
  });
  app.options(EVENT_PATH, {
    config: { access: 'public' },
    handler: async (_request, reply) =>
      reply
        .headers(CROSS_ORIGIN_HEADERS)
        .header('access-control-allow-methods', 'POST, OPTIONS')
        .header('access-control-allow-headers', 'content-type, x-debug-request')
        .header('access-control-max-age', '86400')
        .code(204)
        .send(),
  });
  app.get('/pixel.gif', {
    config: { access: 'public' },
    // A HEAD request shows nobody a page.
    exposeHeadRoute: false,
    handler: (request, reply) => pixel(request, reply, services, intake),
  });
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
  const { promise, resolve, reject } = Promise.withResolvers<IntakeResult>();
  intake.accept(parsed.event, facts, { done: resolve, failed: reject });
  return reply.headers(dropHeaders(await promise)).send(PIXEL);
}
