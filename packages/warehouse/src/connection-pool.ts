import type { DuckDBConnection } from '@duckdb/node-api';
import type { Engine } from './engine.ts';

/** Connections that are kept between queries. As many are opened as are in use at once. */
export class ConnectionPool {
  readonly #engine: Engine;
  readonly #idle: DuckDBConnection[] = [];

  constructor(engine: Engine) {
    this.#engine = engine;
  }

  async take(): Promise<DuckDBConnection> {
    return this.#idle.pop() ?? this.#engine.connect();
  }

  /** Takes a connection back that is in no transaction. */
  give(connection: DuckDBConnection): void {
    this.#idle.push(connection);
  }

  /** Closes a connection whose state is unknown. */
  discard(connection: DuckDBConnection): void {
    this.#engine.disconnect(connection);
  }
}
