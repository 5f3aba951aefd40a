import type { Site, Statement, StatementResult } from '@loggia/contract';
import type { QueryContext } from '@loggia/reports';
import { asHttpError } from './problem.ts';
import type { Services } from './services.ts';

/** What the reports need to know about `site` besides its rows. */
export function queryContext(site: Site, services: Services): QueryContext {
  return {
    site,
    nowMs: services.clock.nowMs(),
    firstEventMs: services.journal.firstEventMs(site.id),
    goals: services.sites.goalsOf(site.id),
  };
}

/**
 * Runs statements of the reports within the configured limits. `signal` ends the one that is running
 * when whoever asked has gone.
 *
 * @throws HttpError, from the executor, for whatever goes wrong.
 */
export function executor(
  services: Services,
  signal: AbortSignal,
): (statement: Statement) => Promise<StatementResult> {
  const { queryTimeoutMs, queryRowsMax } = services.configuration;
  return async (statement) => {
    const startMs = performance.now();
    const options = { signal, timeoutMs: queryTimeoutMs, rowsMax: queryRowsMax };
    try {
      return await services.store.query(statement, options);
    } catch (error) {
      throw asHttpError(error);
    } finally {
      services.metrics.queried(performance.now() - startMs);
    }
  };
}
