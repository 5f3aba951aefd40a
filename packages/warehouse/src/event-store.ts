import type { Statement, StatementResult } from '@loggia/contract';

export interface QueryOptions {
  /** Cancels the query: `HttpError('query_cancelled')`. */
  readonly signal?: AbortSignal;
  /** From the call to the last row, waiting included. */
  readonly timeoutMs?: number;
  /** An answer with more rows is refused with `HttpError('query_too_large')`, never cut. */
  readonly rowsMax?: number;
}

export interface StoreStatus {
  /** Rows held now. */
  readonly events: number;
  readonly visits: number;
  /** The last event taken in. */
  readonly eventId: number;
  /** Events of the journal not yet taken in. */
  readonly behindRows: number;
  /** Memory of the engine, without that of the thread around it. */
  readonly memoryBytes: number;
  /** True from the first complete catch-up on. */
  readonly ready: boolean;
}

/** The events and visits of all sites, behind one interface for every engine. */
export interface EventStore {
  /**
   * Runs one SELECT over `event` and `visit`. Every event acknowledged before the call is in the
   * answer, and the answer is of one state of the journal.
   *
   * @throws HttpError `query_timeout`, `query_cancelled`, `query_too_large`, `overloaded`,
   * `bad_query` (a pattern that is no regular expression) or `shutting_down`
   * @throws WarehouseError for everything that is not the query's fault
   */
  query(statement: Statement, options?: QueryOptions): Promise<StatementResult>;
  /** Answers at any time, also while the store is loading or behind. */
  status(): Promise<StoreStatus>;
  /** One catch-up with the journal. Call it on a timer or when the journal has news. */
  follow(): Promise<void>;
  /** Ends running queries with `shutting_down` and frees everything. May be called twice. */
  close(): Promise<void>;
}
