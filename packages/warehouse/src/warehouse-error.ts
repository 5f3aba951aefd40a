import { BaseError, type ErrorDetails } from '@tandem/base';

/** Every way in which the event store itself fails; refusals of a query are `HttpError`s. */
export const WAREHOUSE_ERROR_CODES = {
  open_failed: 'The engine could not be started with these limits.',
  journal_unreadable: 'The journal could not be read while following it.',
  bad_row: 'The journal holds a row that does not fit its column.',
  store_full: 'The events no longer fit into the memory that the store may use.',
  catch_up_failed: 'New rows could not be taken into the store; the state before stands.',
  bad_statement: 'The statement is not one SELECT that the engine understands.',
  statement_failed: 'The engine failed while it ran the statement.',
  bad_answer: 'The answer holds a value that cannot be represented.',
  engine_failed: 'The engine declared itself broken and has to be started again.',
  segment_gone: 'A segment of the archive was replaced while a query was about to read it.',
  segment_damaged: 'The bytes of a segment in the journal are not those that were sealed.',
  store_closed: 'The store has been closed.',
  worker_stopped: 'The thread that holds the store is not running.',
} as const;

export type WarehouseErrorCode = keyof typeof WAREHOUSE_ERROR_CODES;

/** An operating failure of the event store. */
export class WarehouseError extends BaseError<WarehouseErrorCode> {
  override readonly name = 'WarehouseError';

  constructor(code: WarehouseErrorCode, message: string, details: ErrorDetails = {}) {
    super(code, message, details);
  }
}
