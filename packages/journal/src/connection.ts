import { DatabaseSync, type SQLInputValue, type SQLOutputValue } from 'node:sqlite';
import { assert } from '@tandem/base';
import { integerOf } from './cell.ts';
import { failureOf, isBusy } from './sqlite-failure.ts';

/** One row, its columns in the order of the SELECT. */
export type Cells = readonly SQLOutputValue[];

export interface ConnectionOptions {
  readonly path: string;
  readonly readOnly: boolean;
  /** How long a statement waits for other connections' locks; ten seconds when absent. */
  readonly busyTimeoutMs?: number;
}

const BUSY_TIMEOUT_MS = 10_000;
const BUSY_PAUSE_MS = 20;

/**
 * One open SQLite database: transactions, kept statements, and SQLite's errors turned into this
 * package's. It knows nothing of any schema.
 */
export class Connection {
  readonly path: string;
  readonly readOnly: boolean;
  readonly #database: DatabaseSync;
  #transactionCount = 0;
  #invalidations = 0;
  #snapshotOpen = false;
  #dataVersionQuery: Query | undefined;
  #dataVersion = 0;
  /** The transaction in which the version was read. */
  #dataVersionTransaction = -1;

  /** @throws JournalError when the file cannot be opened. */
  constructor(options: ConnectionOptions) {
    this.path = options.path;
    this.readOnly = options.readOnly;
    try {
      this.#database = new DatabaseSync(options.path, {
        readOnly: options.readOnly,
        enableForeignKeyConstraints: true,
        timeout: options.busyTimeoutMs ?? BUSY_TIMEOUT_MS,
      });
    } catch (error) {
      throw failureOf(error, options.path);
    }
  }

  /** How many transactions this connection has begun; within one it does not change. */
  get transactionCount(): number {
    return this.#transactionCount;
  }

  /** Rises when what this connection has written, or read of its own writes, may be gone. */
  get invalidations(): number {
    return this.#invalidations;
  }

  /** Says that rows were deleted behind the back of whoever keeps some in memory. */
  invalidate(): void {
    this.#invalidations += 1;
  }

  /**
   * Changes when another connection has written. Within a transaction that writes nobody else can,
   * so there it is read once; elsewhere it says little and must not be asked for.
   */
  dataVersion(): number {
    assert(this.inTransaction, 'what others write is kept off by a transaction');
    if (this.#dataVersionTransaction !== this.#transactionCount) {
      this.#dataVersionQuery ??= this.query('PRAGMA data_version');
      this.#dataVersion = integerOf(this.#dataVersionQuery.get()?.[0]);
      this.#dataVersionTransaction = this.#transactionCount;
    }
    return this.#dataVersion;
  }

  get inTransaction(): boolean {
    return this.#database.isTransaction;
  }

  /** A statement that is compiled once and kept. */
  query(sql: string): Query {
    try {
      return new Query(this.#database, sql, this.path);
    } catch (error) {
      throw failureOf(error, this.path);
    }
  }

  /** Runs SQL without parameters or result, one statement or several. */
  execute(sql: string): void {
    try {
      this.#database.exec(sql);
    } catch (error) {
      throw failureOf(error, this.path);
    }
  }

  /**
   * Runs a statement that SQLite may refuse as busy without waiting (a change of the journal mode
   * is one), again and again until the timeout's worth of pauses has passed.
   */
  executePatiently(sql: string): void {
    const pause = new Int32Array(new SharedArrayBuffer(4));
    for (let waitedMs = 0; ; waitedMs += BUSY_PAUSE_MS) {
      try {
        this.#database.exec(sql);
        return;
      } catch (error) {
        if (!isBusy(error) || waitedMs >= BUSY_TIMEOUT_MS) throw failureOf(error, this.path);
        Atomics.wait(pause, 0, 0, BUSY_PAUSE_MS);
      }
    }
  }

  /** The value of a pragma that answers with one integer. */
  readInteger(pragma: string): number {
    const cells = this.query(`PRAGMA ${pragma}`).get();
    return integerOf(cells?.[0]);
  }

  /** Invariant J2: all of `run` is committed and synced when this returns, or nothing of it. */
  transaction<Result>(run: () => Result): Result {
    assert(!this.inTransaction, 'transactions do not nest');
    return this.#between('BEGIN IMMEDIATE', run);
  }

  /** As `transaction`, or as part of the transaction that is under way. */
  atomically<Result>(run: () => Result): Result {
    assert(!this.#snapshotOpen, 'nothing is written within a snapshot');
    return this.inTransaction ? run() : this.transaction(run);
  }

  /** Runs reads that all see the same state of the database. */
  snapshot<Result>(run: () => Result): Result {
    assert(!this.inTransaction, 'transactions do not nest');
    this.#snapshotOpen = true;
    try {
      return this.#between('BEGIN', run);
    } finally {
      this.#snapshotOpen = false;
    }
  }

  #between<Result>(begin: string, run: () => Result): Result {
    this.execute(begin);
    this.#transactionCount += 1;
    let committed = false;
    try {
      const result = run();
      assert(!(result instanceof Promise), 'a transaction does not wait for anything');
      this.execute('COMMIT');
      committed = true;
      return result;
    } finally {
      if (!committed) this.#rollBack();
    }
  }

  #rollBack(): void {
    this.invalidate();
    // Some failures, a full disk among them, have made SQLite roll back by itself.
    if (this.inTransaction) this.execute('ROLLBACK');
  }

  /** Closing twice is allowed. */
  close(): void {
    if (this.#database.isOpen) this.#database.close();
  }
}

/** A prepared statement that answers with arrays and throws this package's errors. */
export class Query {
  readonly #statement;
  readonly #path: string;

  constructor(database: DatabaseSync, sql: string, path: string) {
    this.#statement = database.prepare(sql);
    this.#statement.setReturnArrays(true);
    this.#path = path;
  }

  /** The number of rows that were inserted, changed or deleted. */
  run(...values: SQLInputValue[]): number {
    try {
      return Number(this.#statement.run(...values).changes);
    } catch (error) {
      throw failureOf(error, this.#path);
    }
  }

  /** The id of the inserted row. */
  insert(...values: SQLInputValue[]): number {
    try {
      return Number(this.#statement.run(...values).lastInsertRowid);
    } catch (error) {
      throw failureOf(error, this.#path);
    }
  }

  /** The first row, or undefined. */
  get(...values: SQLInputValue[]): Cells | undefined {
    try {
      // With `setReturnArrays` a row is an array, which the declared type does not know.
      return this.#statement.get(...values) as unknown as Cells | undefined;
    } catch (error) {
      throw failureOf(error, this.#path);
    }
  }

  /** All rows; the caller may change the arrays. */
  all(...values: SQLInputValue[]): SQLOutputValue[][] {
    try {
      return this.#statement.all(...values) as unknown as SQLOutputValue[][];
    } catch (error) {
      throw failureOf(error, this.#path);
    }
  }
}
