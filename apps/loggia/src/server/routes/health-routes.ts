import type { FastifyInstance } from 'fastify';
import type { Services } from '../services.ts';

/** Probes and metrics. `/livez` says that the process answers, `/readyz` that it can do its work. */
export function addHealthRoutes(app: FastifyInstance, services: Services): void {
  app.get('/livez', {
    config: { access: 'public' },
    handler: async (_request, reply) => reply.type('text/plain').send('ok'),
  });
  app.get('/readyz', {
    config: { access: 'public' },
    handler: async (_request, reply) => {
      const reasons = await services.unready();
      if (reasons.length === 0) return reply.type('text/plain').send('ok');
      return reply
        .code(503)
        .type('text/plain')
        .send(`not ready: ${reasons.join('; ')}`);
    },
  });
  app.get('/metrics', {
    config: { access: 'public' },
    handler: async (_request, reply) => {
      const { registry } = services.metrics;
      return reply.type(registry.contentType).send(await registry.metrics());
    },
  });
}
