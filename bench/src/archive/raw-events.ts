import { DuckDBInstance, type DuckDBConnection } from '@duckdb/node-api';
import type { SelectedVisits } from '@loggia/archive';
import {
  WHERE_CLAUSE,
  type DashboardFilter,
  type DashboardRange,
  type DashboardReport,
} from './dashboard.ts';

import { yearRows, type YearShape } from './year-rows.ts';

const MONTH_DAYS = 30;
const DAY_MS = 86_400_000;
const VISIT_COLUMNS = [
  'source',
  'channel',
  'country',
  'city',
  'browser',
  'os',
  'device',
  'entry_page',
  'exit_page',
];

/** The same events in one wide table of DuckDB's own format, and plain SQL over it. */
export class RawEvents {
  readonly #instance: DuckDBInstance;
  readonly #connection: DuckDBConnection;

  private constructor(instance: DuckDBInstance, connection: DuckDBConnection) {
    this.#instance = instance;
    this.#connection = connection;
  }

  /** Fills a new file at `path` with the year, month by month, sorted by site and time. */
  static async make(path: string, shape: YearShape): Promise<RawEvents> {
    const instance = await DuckDBInstance.create(path, { threads: '2', memory_limit: '1GiB' });
    const connection = await instance.connect();
    const columns = VISIT_COLUMNS.map((name) => `v.${name}`).join(', ');
    const select = ({ visits, events }: SelectedVisits): string =>
      `SELECT e.site_id, e.visit_id, e.visitor, e.time_ms, e.name, e.page, ${columns}
       FROM (${events}) e JOIN (${visits}) v ON v.id = e.visit_id`;
    await connection.run(`CREATE TABLE hit AS ${select(yearRows(shape, 0))} LIMIT 0`);
    for (let first = 0; first < shape.days; first += MONTH_DAYS) {
      await connection.run('CREATE OR REPLACE TEMP TABLE month AS FROM hit LIMIT 0');
      for (let day = first; day < Math.min(first + MONTH_DAYS, shape.days); day += 1) {
        await connection.run(`INSERT INTO month ${select(yearRows(shape, day))}`);
      }
      await connection.run('INSERT INTO hit FROM month ORDER BY site_id, time_ms');
    }
    await connection.run('DROP TABLE month');
    await connection.run('CHECKPOINT');
    return new RawEvents(instance, connection);
  }

  /** Opens what `make` has made. */
  static async open(path: string): Promise<RawEvents> {
    const instance = await DuckDBInstance.create(path, { threads: '2', memory_limit: '1GiB' });
    return new RawEvents(instance, await instance.connect());
  }

  async ask(
    report: DashboardReport,
    { firstDay, endDay }: DashboardRange,
    filter: DashboardFilter,
  ): Promise<void> {
    const range = `site_id = 1 AND time_ms >= ${firstDay * DAY_MS} AND time_ms < ${endDay * DAY_MS}`;
    const where = `${range} AND ${filter.sql.replace('$range', range)}`;
    await this.#connection.runAndReadAll(report.sql.replace(WHERE_CLAUSE, where));
  }

  close(): void {
    this.#connection.closeSync();
    this.#instance.closeSync();
  }
}
