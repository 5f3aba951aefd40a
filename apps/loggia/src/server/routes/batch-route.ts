import type { FastifyInstance } from 'fastify';
import { BatchIntake, readBatch } from '../batch-intake.ts';
import type { EventIntake } from '../event-intake.ts';
import type { Services } from '../services.ts';

const BATCH_BODY_BYTES_MAX = 64 * 2 ** 20;
const LINES_TYPES = ['application/x-ndjson', 'application/ndjson', 'application/jsonl'];

/** `POST /api/events`: many events of servers and importers, with their own times and ids. */
export function addBatchRoute(app: FastifyInstance, services: Services, intake: EventIntake): void {
  const batches = new BatchIntake(services, intake);
  app.post('/api/events', {
    config: { access: 'events:write' },
    bodyLimit: BATCH_BODY_BYTES_MAX,
    handler: async (request, reply) => {
      const type = request.headers['content-type'] ?? '';
      const isLines = LINES_TYPES.some((each) => type.startsWith(each));
      const lines = readBatch(typeof request.body === 'string' ? request.body : '', isLines);
      const result = await batches.accept(lines, services.clock.nowMs());
      return reply.code(202).send(result);
    },
  });
}
