import type { ServerProcess } from '../processes/server-process.ts';
import { BENCH_DOMAIN } from './sample-events.ts';

/** Sends batches in order, as many at once as there are connections; every item must be taken. */
export async function sendBatches(
  server: ServerProcess,
  plan: {
    readonly key: string;
    readonly bodies: Iterable<string>;
    readonly connections: number;
  },
): Promise<void> {
  const bodies = plan.bodies[Symbol.iterator]();
  const sendInTurn = async (): Promise<void> => {
    for (let next = bodies.next(); next.done !== true; next = bodies.next()) {
      mustBeTaken(await server.post('/api/events', plan.key, next.value));
    }
  };
  await Promise.all(Array.from({ length: plan.connections }, sendInTurn));
}

/** @throws Error when a report does not show every event that was accepted, and none else. */
export async function mustHaveCounted(
  server: ServerProcess,
  key: string,
  eventCount: number,
): Promise<void> {
  const query = { site_id: BENCH_DOMAIN, date_range: 'all', metrics: ['events'] };
  const [row] = await server.query(key, query);
  const counted = Number(row?.metrics[0]);
  if (counted === eventCount) return;
  throw new Error(`${eventCount} events were accepted and ${counted} are in the report.`);
}

function mustBeTaken(answer: unknown): void {
  const { dropped, errors } = answer as { dropped: unknown[]; errors: unknown[] };
  if (dropped.length === 0 && errors.length === 0) return;
  throw new Error(`A batch was not taken whole: ${JSON.stringify([dropped[0], errors[0]])}`);
}
