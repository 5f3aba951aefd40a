import { int64Of } from './cell.ts';
import type { Connection, Query } from './connection.ts';

export interface NewAlias {
  readonly siteId: number;
  /** The id under which the visitor is met now. */
  readonly alias: bigint;
  /** The id under which the visit under way began. */
  readonly visitor: bigint;
  readonly expiresMs: number;
}

/** More aliases than this are not kept in memory, and each visitor is asked for. */
const KNOWN_MAX = 100_000;

/**
 * The other ids of visitors whose visits go on after midnight. Few visitors have one and all are
 * asked for, so within transactions the ids that are aliases are kept in memory (J10): all that the
 * database holds, and maybe some that it holds no more.
 */
export class AliasTable {
  readonly #connection: Connection;
  readonly #add: Query;
  readonly #find: Query;
  readonly #removeExpired: Query;
  readonly #all: Query;
  /** Undefined: too many. */
  #known: Set<bigint> | undefined;
  /** What was so when they were read. */
  #knownAt = -1;

  constructor(connection: Connection) {
    this.#connection = connection;
    this.#add = connection.query(
      `INSERT INTO alias (site_id, alias, visitor, expires_ms) VALUES (?, ?, ?, ?)
       ON CONFLICT DO UPDATE SET expires_ms = max(expires_ms, excluded.expires_ms)`,
    );
    this.#find = connection.query(
      'SELECT visitor >> 32, visitor & 4294967295 FROM alias WHERE site_id = ? AND alias = ?',
    );
    this.#removeExpired = connection.query('DELETE FROM alias WHERE expires_ms <= ?');
    this.#all = connection.query('SELECT alias >> 32, alias & 4294967295 FROM alias LIMIT ?');
  }

  /** Notes that a visitor goes by one more id; said again, the later end holds. */
  add({ siteId, alias, visitor, expiresMs }: NewAlias): void {
    this.#add.run(siteId, alias, visitor, expiresMs);
    this.#known?.add(alias);
  }

  /** The visitors for which this id is an alias. */
  visitorsOf(siteId: number, alias: bigint): bigint[] {
    if (this.#connection.inTransaction && this.#isUnknown(alias)) return [];
    return this.#find.all(siteId, alias).map(([upper, lower]) => int64Of(upper, lower));
  }

  /** The number of aliases that were removed. */
  removeExpired(nowMs: number): number {
    return this.#removeExpired.run(nowMs);
  }

  /** Whether the id is certainly no alias on any site. Nobody else writes meanwhile. */
  #isUnknown(alias: bigint): boolean {
    const dataVersion = this.#connection.dataVersion();
    if (this.#knownAt !== dataVersion) {
      const rows = this.#all.all(KNOWN_MAX + 1);
      this.#known =
        rows.length > KNOWN_MAX
          ? undefined
          : new Set(rows.map(([upper, lower]) => int64Of(upper, lower)));
      this.#knownAt = dataVersion;
    }
    return this.#known?.has(alias) === false;
  }
}
