import type { ErrorCode, HttpError } from '@loggia/contract';
import { asHttpError } from './problem.ts';
import type { Services } from './services.ts';

/** Errors that an operator has to look into. */
const LOGGED_CODES: ReadonlySet<ErrorCode> = new Set([
  'internal',
  'storage_failed',
  'storage_full',
  'store_unavailable',
] as const);

/** What was thrown at `route` as a documented error, counted and, where an operator must act, logged. */
export function reportError(
  thrown: unknown,
  route: string | undefined,
  services: Services,
): HttpError {
  const error = asHttpError(thrown);
  services.metrics.refused(error.code);
  if (LOGGED_CODES.has(error.code)) services.logger.error({ err: thrown, route }, error.message);
  return error;
}
