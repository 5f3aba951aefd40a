import { DuckDBInstance, type DuckDBConnection, type DuckDBValue } from '@duckdb/node-api';
import {
  EVENT_COLUMNS,
  VISIT_COLUMNS,
  type Column,
  type Goal,
  type QueryValue,
  type Statement,
  type StatementResult,
} from '@loggia/contract';
import { answerQuery, parseQuery, type QueryContext } from '@loggia/reports';

/** An event of a test: what is left out has the plainest value. */
export interface TestEvent {
  /** ISO 8601. */
  readonly at: string;
  readonly name?: string;
  readonly page?: string;
  readonly hostname?: string;
  readonly properties?: Readonly<Record<string, string>>;
  readonly revenue?: readonly [number, string];
  readonly interactive?: boolean;
  readonly scrollDepth?: number;
  readonly engagedMs?: number;
}

export interface TestVisit {
  readonly visitor: number;
  readonly events: readonly TestEvent[];
  readonly siteId?: number;
  /** Columns of the visit, as `VISIT_COLUMNS` names them. */
  readonly attributes?: Readonly<Record<string, string>>;
}

const TYPES = {
  int: 'BIGINT',
  int64: 'BIGINT',
  text: 'VARCHAR',
  flag: 'TINYINT',
  properties: 'MAP(VARCHAR, VARCHAR)',
};

/** The two tables of the reports in a DuckDB of their own, filled row by row. */
export class TestStore {
  readonly #connection: DuckDBConnection;
  #visits = 0;
  #events = 0;

  private constructor(connection: DuckDBConnection) {
    this.#connection = connection;
  }

  static async open(visits: readonly TestVisit[] = []): Promise<TestStore> {
    const instance = await DuckDBInstance.create(':memory:', { threads: '1' });
    const store = new TestStore(await instance.connect());
    await store.#connection.run(createTable('event', EVENT_COLUMNS));
    await store.#connection.run(createTable('visit', VISIT_COLUMNS));
    for (const visit of visits) await store.insert(visit);
    return store;
  }

  async insert(visit: TestVisit): Promise<void> {
    const id = ++this.#visits;
    const siteId = visit.siteId ?? 1;
    for (const event of visit.events) {
      const columns = eventColumns(event);
      const row = { id: ++this.#events, site_id: siteId, visit_id: id, visitor: visit.visitor };
      await this.#insertRow('event', EVENT_COLUMNS, { ...row, ...columns });
    }
    const columns = visitColumns(visit.events);
    const row = { id, site_id: siteId, visitor: visit.visitor, channel: 'Direct' };
    await this.#insertRow('visit', VISIT_COLUMNS, { ...row, ...columns, ...visit.attributes });
  }

  async #insertRow(
    table: string,
    columns: readonly Column[],
    row: Readonly<Record<string, string | number | null>>,
  ): Promise<void> {
    const values = columns.map(({ type }) =>
      type === 'properties'
        ? `CAST(CAST(? AS JSON) AS ${TYPES.properties})`
        : `CAST(? AS ${TYPES[type]})`,
    );
    const bound = columns.map(({ name }) => row[name] ?? null);
    await this.#connection.run(`INSERT INTO ${table} VALUES (${values.join(', ')})`, bound);
  }

  readonly execute = async (statement: Statement): Promise<StatementResult> => {
    const reader = await this.#connection.runAndReadAll(statement.sql, [...statement.parameters]);
    return { columns: reader.columnNames(), rows: reader.getRows().map((row) => row.map(plain)) };
  };

  /** Lets DuckDB bind and plan the statement; a name or a type that is wrong rejects. */
  readonly bind = async (statement: Statement): Promise<StatementResult> => {
    await this.execute({ ...statement, sql: `EXPLAIN ${statement.sql}` });
    return { columns: [], rows: [] };
  };

  async answer(body: Record<string, unknown>, context: Partial<QueryContext> = {}) {
    const query = parseQuery({ site_id: 'example.org', date_range: 'all', ...body });
    return answerQuery(query, testContext(context), this.execute);
  }

  /** The rows of an answer as `[dimensions…, metrics…]`. */
  async rows(body: Record<string, unknown>, context: Partial<QueryContext> = {}) {
    const { results } = await this.answer(body, context);
    return results.map((row) => [...row.dimensions, ...row.metrics]);
  }
}

export const NOW = '2026-03-18T10:30:15Z';

export function testContext(context: Partial<QueryContext> = {}): QueryContext {
  return {
    site: { id: 1, domain: 'example.org', timezone: 'UTC', createdMs: 0 },
    nowMs: Date.parse(NOW),
    firstEventMs: Date.parse('2026-01-01T00:00:00Z'),
    goals: [],
    ...context,
  };
}

export function inZone(timezone: string): Pick<QueryContext, 'site'> {
  return { site: { id: 1, domain: 'example.org', timezone, createdMs: 0 } };
}

export function testGoal(displayName: string, goal: Partial<Goal>): Goal {
  return {
    id: 1,
    siteId: 1,
    displayName,
    kind: 'event',
    eventName: null,
    pagePattern: null,
    scrollThreshold: null,
    currency: null,
    ...goal,
  };
}

function createTable(table: string, columns: readonly Column[]): string {
  return `CREATE TABLE ${table} (${columns.map(({ name, type }) => `${name} ${TYPES[type]}`).join(', ')})`;
}

function plain(value: DuckDBValue): QueryValue {
  if (typeof value === 'bigint') return Number(value);
  if (value === null || typeof value === 'object') return null;
  return value;
}

function eventColumns(event: TestEvent) {
  const name = event.name ?? 'pageview';
  return {
    time_ms: Date.parse(event.at),
    name,
    hostname: event.hostname ?? 'example.org',
    page: event.page ?? '/',
    properties: event.properties === undefined ? null : JSON.stringify(event.properties),
    revenue_milli: event.revenue === undefined ? null : event.revenue[0],
    revenue_currency: event.revenue === undefined ? null : event.revenue[1],
    interactive: (event.interactive ?? true) && name !== 'engagement' ? 1 : 0,
    scroll_depth: event.scrollDepth ?? null,
    engaged_ms: event.engagedMs ?? null,
  };
}

function visitColumns(events: readonly TestEvent[]) {
  const rows = events.map(eventColumns);
  const times = rows.map((row) => row.time_ms);
  const views = rows.filter((row) => row.name === 'pageview');
  const acted = rows.some((row) => row.name !== 'pageview' && row.interactive === 1);
  const entry = views[0];
  const exit = views.at(-1);
  return {
    start_ms: Math.min(...times),
    last_ms: Math.max(...times),
    pageviews: views.length,
    events: rows.filter((row) => row.name !== 'engagement').length,
    bounce: views.length < 2 && !acted ? 1 : 0,
    entry_hostname: entry?.hostname ?? null,
    entry_page: entry?.page ?? null,
    entry_ms: entry?.time_ms ?? null,
    exit_hostname: exit?.hostname ?? null,
    exit_page: exit?.page ?? null,
    exit_ms: exit?.time_ms ?? null,
  };
}
