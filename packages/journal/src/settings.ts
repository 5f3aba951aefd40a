import { textOf } from './cell.ts';
import type { Connection, Query } from './connection.ts';

/** Settings of the whole installation that are changed while it runs: text by name. */
export class Settings {
  readonly #get: Query;
  readonly #set: Query;
  readonly #delete: Query;
  readonly #withPrefix: Query;

  constructor(connection: Connection) {
    this.#get = connection.query('SELECT value FROM setting WHERE name = ?');
    this.#set = connection.query(
      `INSERT INTO setting (name, value) VALUES (?, ?)
       ON CONFLICT (name) DO UPDATE SET value = excluded.value`,
    );
    this.#delete = connection.query('DELETE FROM setting WHERE name = ?');
    this.#withPrefix = connection.query(
      'SELECT name, value FROM setting WHERE substr(name, 1, length(?1)) = ?1 ORDER BY name',
    );
  }

  get(name: string): string | undefined {
    const cells = this.#get.get(name);
    return cells === undefined ? undefined : textOf(cells[0]);
  }

  /** Names and values of all whose names begin so, by name. */
  entries(prefix: string): (readonly [name: string, value: string])[] {
    return this.#withPrefix.all(prefix).map(([name, value]) => [textOf(name), textOf(value)]);
  }

  set(name: string, value: string): void {
    this.#set.run(name, value);
  }

  /** False when there was none of that name. */
  delete(name: string): boolean {
    return this.#delete.run(name) === 1;
  }
}
