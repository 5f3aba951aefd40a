import { KEY_SCOPES, type KeyScope } from '@loggia/contract';
import { integerOf, textOf } from './cell.ts';
import type { Cells, Connection, Query } from './connection.ts';
import { hashOf, newSecret } from './secret.ts';

/** An API key without its secret. */
export interface Key {
  readonly id: number;
  readonly name: string;
  readonly scopes: readonly KeyScope[];
  readonly createdMs: number;
}

export interface NewKey {
  readonly name: string;
  readonly scopes: readonly KeyScope[];
  readonly nowMs: number;
}

const COLUMNS = 'id, name, scopes, created_ms';

/** API keys. Invariant J8: a key is known to its holder only; its SHA-256 is stored. */
export class Keys {
  readonly #insert: Query;
  readonly #find: Query;
  readonly #list: Query;
  readonly #delete: Query;

  constructor(connection: Connection) {
    this.#insert = connection.query(
      'INSERT INTO api_key (name, key_hash, scopes, created_ms) VALUES (?, ?, ?, ?)',
    );
    this.#find = connection.query(`SELECT ${COLUMNS} FROM api_key WHERE key_hash = ?`);
    this.#list = connection.query(`SELECT ${COLUMNS} FROM api_key ORDER BY id`);
    this.#delete = connection.query('DELETE FROM api_key WHERE id = ?');
  }

  /** The new key, which cannot be read again. */
  create(key: NewKey): { readonly id: number; readonly key: string } {
    const secret = `lg_${newSecret()}`;
    const scopes = JSON.stringify(key.scopes);
    return { id: this.#insert.insert(key.name, hashOf(secret), scopes, key.nowMs), key: secret };
  }

  find(key: string): Key | undefined {
    const cells = this.#find.get(hashOf(key));
    return cells === undefined ? undefined : readKey(cells);
  }

  /** All keys, oldest first. */
  list(): Key[] {
    return this.#list.all().map(readKey);
  }

  /** False when there is no such key. */
  revoke(id: number): boolean {
    return this.#delete.run(id) === 1;
  }
}

function readKey(cells: Cells): Key {
  const scopes: unknown = JSON.parse(textOf(cells[2]));
  return {
    id: integerOf(cells[0]),
    name: textOf(cells[1]),
    // A scope that a later version made up gives no right here.
    scopes: Array.isArray(scopes) ? scopes.filter(isKeyScope) : [],
    createdMs: integerOf(cells[3]),
  };
}

function isKeyScope(value: unknown): value is KeyScope {
  return typeof value === 'string' && Object.hasOwn(KEY_SCOPES, value);
}
