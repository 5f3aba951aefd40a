import { integerOf, textOf } from './cell.ts';
import type { Cells, Connection, Query } from './connection.ts';
import { JournalError } from './journal-error.ts';

export interface User {
  readonly id: number;
  readonly name: string;
  readonly createdMs: number;
}

/** A user with what a login is checked against; not for printing. */
export interface Account extends User {
  readonly passwordHash: string;
}

export interface NewUser {
  readonly name: string;
  readonly passwordHash: string;
  readonly nowMs: number;
}

const COLUMNS = 'id, name, created_ms';

/** Who may log in. Names differ by more than the case of ASCII letters. */
export class Users {
  readonly #connection: Connection;
  readonly #insert: Query;
  readonly #byName: Query;
  readonly #byId: Query;
  readonly #list: Query;
  readonly #count: Query;
  readonly #setPasswordHash: Query;
  readonly #delete: Query;

  constructor(connection: Connection) {
    this.#connection = connection;
    this.#insert = connection.query(
      'INSERT INTO user (name, password_hash, created_ms) VALUES (?, ?, ?)',
    );
    this.#byName = connection.query(`SELECT ${COLUMNS}, password_hash FROM user WHERE name = ?`);
    this.#byId = connection.query(`SELECT ${COLUMNS} FROM user WHERE id = ?`);
    this.#list = connection.query(`SELECT ${COLUMNS} FROM user ORDER BY name`);
    this.#count = connection.query('SELECT count(*) FROM user');
    this.#setPasswordHash = connection.query('UPDATE user SET password_hash = ? WHERE id = ?');
    this.#delete = connection.query('DELETE FROM user WHERE id = ?');
  }

  /** @throws JournalError `user_exists`. */
  create(user: NewUser): User {
    return this.#connection.atomically(() => {
      if (this.#byName.get(user.name) !== undefined) {
        throw new JournalError('user_exists', `the user ${user.name} exists already`);
      }
      const id = this.#insert.insert(user.name, user.passwordHash, user.nowMs);
      return { id, name: user.name, createdMs: user.nowMs };
    });
  }

  byName(name: string): Account | undefined {
    const cells = this.#byName.get(name);
    if (cells === undefined) return undefined;
    return { ...readUser(cells), passwordHash: textOf(cells[3]) };
  }

  byId(id: number): User | undefined {
    const cells = this.#byId.get(id);
    return cells === undefined ? undefined : readUser(cells);
  }

  /** All users, by name. */
  list(): User[] {
    return this.#list.all().map(readUser);
  }

  count(): number {
    return integerOf(this.#count.get()?.[0]);
  }

  /**
   * The user's login sessions stay; end them with `Sessions.revokeAllOf`.
   *
   * @throws JournalError `user_missing`.
   */
  setPasswordHash(id: number, passwordHash: string): void {
    if (this.#setPasswordHash.run(passwordHash, id) === 1) return;
    throw new JournalError('user_missing', `no user has the id ${id}`);
  }

  /** Removes the user and all login sessions of it. False when there is no such user. */
  remove(id: number): boolean {
    return this.#delete.run(id) === 1;
  }
}

function readUser(cells: Cells): User {
  return { id: integerOf(cells[0]), name: textOf(cells[1]), createdMs: integerOf(cells[2]) };
}
