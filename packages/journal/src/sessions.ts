import { integerOf } from './cell.ts';
import type { Connection, Query } from './connection.ts';
import { JournalError } from './journal-error.ts';
import { hashOf, newSecret } from './secret.ts';

export interface Session {
  readonly userId: number;
  readonly expiresMs: number;
}

export interface NewSession {
  readonly userId: number;
  readonly nowMs: number;
  readonly expiresMs: number;
}

/** Login sessions. Invariant J8: a token is known to its holder only; its SHA-256 is stored. */
export class Sessions {
  readonly #connection: Connection;
  readonly #insert: Query;
  readonly #userExists: Query;
  readonly #find: Query;
  readonly #renew: Query;
  readonly #delete: Query;
  readonly #deleteOfUser: Query;
  readonly #deleteExpired: Query;

  constructor(connection: Connection) {
    this.#connection = connection;
    this.#insert = connection.query(
      'INSERT INTO session (token_hash, user_id, created_ms, expires_ms) VALUES (?, ?, ?, ?)',
    );
    this.#userExists = connection.query('SELECT 1 FROM user WHERE id = ?');
    this.#find = connection.query(
      'SELECT user_id, expires_ms FROM session WHERE token_hash = ? AND expires_ms > ?',
    );
    this.#renew = connection.query('UPDATE session SET expires_ms = ? WHERE token_hash = ?');
    this.#delete = connection.query('DELETE FROM session WHERE token_hash = ?');
    this.#deleteOfUser = connection.query('DELETE FROM session WHERE user_id = ?');
    this.#deleteExpired = connection.query('DELETE FROM session WHERE expires_ms <= ?');
  }

  /**
   * The new session's token, which cannot be read again.
   *
   * @throws JournalError `user_missing`.
   */
  create(session: NewSession): string {
    const token = newSecret();
    return this.#connection.atomically(() => {
      if (this.#userExists.get(session.userId) === undefined) {
        throw new JournalError('user_missing', `no user has the id ${session.userId}`);
      }
      this.#insert.run(hashOf(token), session.userId, session.nowMs, session.expiresMs);
      return token;
    });
  }

  /** The session of that token, unless it has expired. */
  find(token: string, nowMs: number): Session | undefined {
    const cells = this.#find.get(hashOf(token), nowMs);
    if (cells === undefined) return undefined;
    return { userId: integerOf(cells[0]), expiresMs: integerOf(cells[1]) };
  }

  /** Moves the session's end. False when there is no such session. */
  renew(token: string, expiresMs: number): boolean {
    return this.#renew.run(expiresMs, hashOf(token)) === 1;
  }

  /** False when there is no such session. */
  revoke(token: string): boolean {
    return this.#delete.run(hashOf(token)) === 1;
  }

  /** The number of sessions that ended. */
  revokeAllOf(userId: number): number {
    return this.#deleteOfUser.run(userId);
  }

  /** The number of sessions that were removed. */
  removeExpired(nowMs: number): number {
    return this.#deleteExpired.run(nowMs);
  }
}
