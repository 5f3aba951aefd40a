import type { DuckDBConnection } from '@duckdb/node-api';
import type { PackedRows } from '@loggia/contract';
import { parquetSql } from './literal.ts';
import { PackedWriter } from './packed-writer.ts';
import { EVENT_TABLE, ROLLUP_TABLE, SUM_TABLE, VISIT_TABLE } from './table-schema.ts';

/** What one transaction brings. */
export interface MirrorChange {
  readonly events: PackedRows;
  readonly visits: PackedRows;
  /** Ids of those of `visits` of which an older state may be in the table. */
  readonly replacedIds: readonly number[];
  /** Files of sealed visits, which leave the tables. */
  readonly sealedFiles: readonly string[];
}

/**
 * Rows written between checkpoints, the size of a row group of the engine. Written rows are about
 * ten times as large until the checkpoint compresses them; it also reclaims replaced visits (W6).
 */
const CHECKPOINT_ROWS = 122_880;

const NOTHING = { events: 0, visits: 0 };

/** The tables `event` and `visit`, and an empty `rollup`, changed only here, over the one connection that writes. */
export class Mirror {
  readonly #connection: DuckDBConnection;
  readonly #events: PackedWriter;
  readonly #visits: PackedWriter;
  #eventCount = 0;
  #visitCount = 0;
  #rowsSinceCheckpoint = 0;

  constructor(connection: DuckDBConnection) {
    this.#connection = connection;
    this.#events = new PackedWriter(connection, EVENT_TABLE);
    this.#visits = new PackedWriter(connection, VISIT_TABLE);
  }

  get eventCount(): number {
    return this.#eventCount;
  }

  get visitCount(): number {
    return this.#visitCount;
  }

  /**
   * Leaves two empty tables. Statements that began before go on with what they saw.
   *
   * Rows are deleted rather than tables dropped: DuckDB refuses every checkpoint while a statement
   * that began before a drop is running, and loading would go on uncompressed beside it.
   */
  async reset(): Promise<void> {
    await this.#transaction('', async () => {
      for (const table of [EVENT_TABLE, VISIT_TABLE, ROLLUP_TABLE, SUM_TABLE]) {
        await this.#connection.run(`${table.createSql}; DELETE FROM ${table.name}`);
      }
    });
    this.#eventCount = 0;
    this.#visitCount = 0;
    this.#rowsSinceCheckpoint = CHECKPOINT_ROWS;
  }

  /** Takes the whole change in, or, when it throws, nothing of it. */
  async apply(change: MirrorChange): Promise<void> {
    let sealed = NOTHING;
    const deletedCount = await this.#transaction(deleteSql(change.replacedIds), async () => {
      sealed = await this.#deleteSealed(change.sealedFiles);
      await this.#visits.append(change.visits);
      await this.#events.append(change.events);
    });
    const { events, visits } = change;
    this.#eventCount += events.rowCount - sealed.events;
    this.#visitCount += visits.rowCount - deletedCount - sealed.visits;
    this.#rowsSinceCheckpoint += events.rowCount + visits.rowCount + sealed.events + sealed.visits;
  }

  /**
   * Compresses what has been written, when it is enough to be worth it, and reclaims replaced
   * visits. Queries go on meanwhile. When it throws, nothing is lost; a later call does it.
   */
  async compact(): Promise<void> {
    if (this.#rowsSinceCheckpoint < CHECKPOINT_ROWS) return;
    await this.#checkpoint();
  }

  async #deleteSealed(files: readonly string[]): Promise<typeof NOTHING> {
    if (files.length === 0) return NOTHING;
    const ids = `(SELECT id FROM ${parquetSql(files)})`;
    const events = await this.#connection.run(`DELETE FROM event WHERE visit_id IN ${ids}`);
    const visits = await this.#connection.run(`DELETE FROM visit WHERE id IN ${ids}`);
    return { events: events.rowsChanged, visits: visits.rowsChanged };
  }

  /** The rows that `deletion` removed. */
  async #transaction(deletion: string, body: () => Promise<void>): Promise<number> {
    try {
      // One call for both statements: each costs a hop through the thread pool.
      const deleted = await this.#connection.run(`BEGIN TRANSACTION; ${deletion}`);
      await body();
      await this.#connection.run('COMMIT');
      return deletion === '' ? 0 : deleted.rowsChanged;
    } catch (error) {
      // A commit that fails has ended the transaction itself, and then this one fails as well.
      await this.#connection.run('ROLLBACK').catch(() => undefined);
      throw error;
    }
  }

  async #checkpoint(): Promise<void> {
    await this.#connection.run('CHECKPOINT');
    this.#rowsSinceCheckpoint = 0;
  }
}

/** The bounds let the engine skip row groups, since changed visits are mostly recent ones. */
function deleteSql(ids: readonly number[]): string {
  if (ids.length === 0) return '';
  let min = Number.MAX_SAFE_INTEGER;
  let max = 0;
  for (const id of ids) {
    min = Math.min(min, id);
    max = Math.max(max, id);
  }
  return `DELETE FROM visit WHERE id BETWEEN ${min} AND ${max} AND id IN (${ids.join(', ')})`;
}
