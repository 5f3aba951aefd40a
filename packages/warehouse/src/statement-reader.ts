import {
  type DuckDBConnection,
  type DuckDBPreparedStatement,
  type DuckDBResult,
  StatementType,
} from '@duckdb/node-api';
import {
  HttpError,
  type QueryValue,
  type RolledUp,
  type Statement,
  type StatementResult,
} from '@loggia/contract';
import { checkAnswerType, decodeAnswerValue } from './answer-value.ts';
import type { TailSpan } from './raw-span.ts';
import { WarehouseError } from './warehouse-error.ts';

/** A lost race between an interrupt and the start of a statement is made up for after this. */
const INTERRUPT_AGAIN_MS = 10;

const TAIL_SPAN_SQL =
  'SELECT min(start_ms), max(last_ms) FROM visit WHERE site_id = ? AND start_ms < ? AND last_ms >= ?';

const INT64_MAX = 2n ** 63n - 1n;

/** Runs one statement on one connection: `begin`, `read`, and in any case `end`. */
export class StatementReader {
  readonly #connection: DuckDBConnection;
  #inTransaction = false;
  #prepared: DuckDBPreparedStatement | undefined;

  constructor(connection: DuckDBConnection) {
    this.#connection = connection;
  }

  /** Begins the transaction, unless it has begun. The engine itself refuses writes in it. */
  async open(): Promise<void> {
    if (this.#inTransaction) return;
    await this.#connection.run('BEGIN TRANSACTION READ ONLY');
    this.#inTransaction = true;
  }

  /** What of a range the site's visits in memory touch; it fixes the snapshot as `begin` does. */
  async tailSpan({ siteId, dayStartsMs, toMs }: RolledUp): Promise<TailSpan | undefined> {
    const touching = await this.#connection.runAndReadAll(TAIL_SPAN_SQL, [
      siteId,
      BigInt(toMs),
      BigInt(dayStartsMs[0] ?? 0),
    ]);
    const [firstMs, lastMs] = touching.getRows()[0] ?? [];
    if (typeof firstMs !== 'bigint' || typeof lastMs !== 'bigint') return undefined;
    return { firstMs: Number(firstMs), lastMs: Number(lastMs) };
  }

  /**
   * Takes the snapshot that `read` answers from: preparing looks the tables up, and with that the
   * transaction is fixed.
   *
   * @throws WarehouseError `bad_statement` for anything but one SELECT with its parameters
   */
  async begin(statement: Statement): Promise<void> {
    await this.open();
    const prepared = await this.#connection.prepare(statement.sql);
    this.#prepared = prepared;
    if (prepared.statementType !== StatementType.SELECT) {
      throw new WarehouseError('bad_statement', 'Only a SELECT can be run.');
    }
    bindParameters(prepared, statement.parameters);
  }

  /** @throws HttpError `query_too_large` when there are more than `rowsMax` rows */
  async read(rowsMax: number, signal: AbortSignal): Promise<StatementResult> {
    using _ = this.#interruptOn(signal);
    signal.throwIfAborted();
    const result = await this.#prepared?.stream();
    if (result === undefined) throw new WarehouseError('bad_statement', 'Nothing was prepared.');
    const columns = result.columnNames();
    for (const [index, column] of columns.entries()) {
      checkAnswerType(column, result.columnTypeId(index));
    }
    return { columns, rows: await readRows(result, rowsMax) };
  }

  /** Leaves the connection as it was. When it throws, the connection is of no more use. */
  async end(): Promise<void> {
    this.#prepared?.destroySync();
    this.#prepared = undefined;
    if (!this.#inTransaction) return;
    this.#inTransaction = false;
    await this.#connection.run('ROLLBACK');
  }

  /** An interrupt is forgotten when the statement has not started yet, so it is repeated. */
  #interruptOn(signal: AbortSignal): Disposable {
    let timer: NodeJS.Timeout | undefined;
    const interrupt = (): void => this.#connection.interrupt();
    const onAbort = (): void => {
      interrupt();
      timer = setInterval(interrupt, INTERRUPT_AGAIN_MS);
    };
    signal.addEventListener('abort', onAbort, { once: true });
    return {
      [Symbol.dispose]() {
        signal.removeEventListener('abort', onAbort);
        clearInterval(timer);
      },
    };
  }
}

async function readRows(result: DuckDBResult, rowsMax: number): Promise<QueryValue[][]> {
  const rows: QueryValue[][] = [];
  for (;;) {
    const chunk = await result.fetchChunk();
    if (chunk === null || chunk.rowCount === 0) return rows;
    if (rows.length + chunk.rowCount > rowsMax) throw tooManyRows(rowsMax);
    for (const row of chunk.getRows()) rows.push(row.map(decodeAnswerValue));
  }
}

function bindParameters(
  prepared: DuckDBPreparedStatement,
  parameters: Statement['parameters'],
): void {
  if (prepared.parameterCount !== parameters.length) {
    throw new WarehouseError(
      'bad_statement',
      `The statement takes ${prepared.parameterCount} parameters and got ${parameters.length}.`,
    );
  }
  for (const [index, value] of parameters.entries()) bindParameter(prepared, index + 1, value);
}

function bindParameter(
  prepared: DuckDBPreparedStatement,
  place: number,
  value: Statement['parameters'][number],
): void {
  if (value === null) prepared.bindNull(place);
  else if (typeof value === 'string') prepared.bindVarchar(place, value);
  else if (typeof value === 'boolean') prepared.bindBoolean(place, value);
  else if (typeof value === 'bigint') bindInteger(prepared, place, value);
  else if (Number.isSafeInteger(value)) prepared.bindBigInt(place, BigInt(value));
  else prepared.bindDouble(place, value);
}

function bindInteger(prepared: DuckDBPreparedStatement, place: number, value: bigint): void {
  if (value <= INT64_MAX && value >= -INT64_MAX - 1n) prepared.bindBigInt(place, value);
  else prepared.bindHugeInt(place, value);
}

function tooManyRows(rowsMax: number): HttpError {
  return new HttpError('query_too_large', `The answer has more than ${rowsMax} rows.`, {
    hint: 'Ask for a page of the answer, a shorter range or fewer dimensions.',
  });
}
