import { HttpConnection, type HttpAnswer, type TlsSettings } from './http-connection.ts';
import { parseJsonObject, stringIn, type JsonObject } from './json-value.ts';
import { LeaseError } from './lease-error.ts';
import { parseServerUrl } from './lease-settings.ts';

/** How etcd is reached. */
export interface EtcdAccess {
  /** Client URLs, tried in turn. */
  readonly endpoints: readonly string[];
  readonly user?: string;
  readonly password?: string;
  readonly tls?: TlsSettings;
}

const UNAUTHENTICATED = 401;

/** Requests to the JSON gateway of etcd v3. Keys and values are base64 in it. */
export class EtcdClient {
  readonly #access: EtcdAccess;
  readonly #connections: readonly HttpConnection[];
  /** The endpoint that answered last. */
  #current = 0;
  #token: string | undefined;

  /** @throws LeaseError `lease_bad_setting` without endpoints or for one that is no HTTP URL. */
  constructor(access: EtcdAccess) {
    if (access.endpoints.length === 0) {
      throw new LeaseError(
        'lease_bad_setting',
        'A lease of kind etcd needs at least one endpoint.',
      );
    }
    this.#access = access;
    this.#connections = access.endpoints.map(
      (endpoint) => new HttpConnection(parseServerUrl('The endpoint', endpoint), access.tls),
    );
  }

  /**
   * Calls one method. Endpoints that cannot be reached are passed over; after a time-out the next
   * call goes to the next endpoint, but this one fails, since etcd may have acted.
   *
   * @throws LeaseError.
   */
  async call(path: string, body: JsonObject, timeoutMs: number): Promise<JsonObject> {
    const endsMs = performance.now() + timeoutMs;
    const remainingMs = (): number => Math.max(1, endsMs - performance.now());
    await this.#authenticateOnce(remainingMs());
    let answer = await this.#post(path, body, remainingMs());
    if (this.#token !== undefined && isTokenRefused(answer)) {
      this.#token = undefined;
      await this.#authenticateOnce(remainingMs());
      answer = await this.#post(path, body, remainingMs());
    }
    return mustBeAnswer(path, answer);
  }

  /** The messages of a stream, until it ends. @throws LeaseError. */
  async *stream(
    path: string,
    body: JsonObject,
    options: { readonly timeoutMs: number; readonly signal: AbortSignal },
  ): AsyncGenerator<JsonObject> {
    const connection = this.#connection();
    const request = { method: 'POST', path, body: JSON.stringify(body), headers: this.#headers() };
    const lines = connection.lines({ ...request, method: 'POST', ...options }, (status) => {
      if (status !== 200) throw new LeaseError('lease_bad_answer', `etcd answered ${status}.`);
    });
    try {
      for await (const line of lines) yield parseJsonObject(line);
    } catch (error) {
      this.#advance();
      throw error;
    }
  }

  close(): void {
    for (const connection of this.#connections) connection.close();
  }

  async #post(path: string, body: JsonObject, timeoutMs: number): Promise<HttpAnswer> {
    const headers = this.#headers();
    let failure: unknown;
    for (const _ of this.#connections) {
      try {
        const text = JSON.stringify(body);
        return await this.#connection().exchange({
          method: 'POST',
          path,
          headers,
          body: text,
          timeoutMs,
        });
      } catch (error) {
        failure = error;
        this.#advance();
        if (!(error instanceof LeaseError && error.code === 'lease_unreachable')) break;
      }
    }
    throw failure;
  }

  async #authenticateOnce(timeoutMs: number): Promise<void> {
    const { user, password = '' } = this.#access;
    if (user === undefined || this.#token !== undefined) return;
    const answer = await this.#post('/v3/auth/authenticate', { name: user, password }, timeoutMs);
    if (answer.status >= 400 && answer.status < 500) {
      throw new LeaseError('lease_denied', `etcd refused user '${user}': ${answer.text}`, {
        retryable: true,
        hint: 'Check user and password, and that authentication is enabled in etcd.',
      });
    }
    this.#token = stringIn(mustBeAnswer('authenticate', answer), 'token');
  }

  #headers(): Record<string, string> {
    return this.#token === undefined ? {} : { authorization: this.#token };
  }

  #connection(): HttpConnection {
    const connection = this.#connections[this.#current % this.#connections.length];
    if (connection === undefined) throw new LeaseError('lease_bad_setting', 'No endpoint.');
    return connection;
  }

  #advance(): void {
    this.#current = (this.#current + 1) % this.#connections.length;
  }
}

function isTokenRefused(answer: HttpAnswer): boolean {
  return answer.status === UNAUTHENTICATED || /invalid auth token/.test(answer.text);
}

function mustBeAnswer(what: string, answer: HttpAnswer): JsonObject {
  if (answer.status === 200) return parseJsonObject(answer.text);
  const said = `etcd answered ${answer.status} to ${what}: ${answer.text.slice(0, 300)}`;
  if (answer.status === UNAUTHENTICATED || answer.status === 403) {
    throw new LeaseError('lease_denied', said, {
      retryable: true,
      hint: 'Give the user a role that may read and write the keys of the lease.',
    });
  }
  if (/requested lease not found/.test(answer.text)) {
    throw new LeaseError('lease_not_held', said);
  }
  if (answer.status >= 500 || answer.status === 408 || answer.status === 429) {
    throw new LeaseError('lease_no_answer', said, { retryable: true });
  }
  throw new LeaseError('lease_bad_answer', said, {
    hint: 'The endpoint must be the client URL of etcd 3.4 or newer.',
  });
}
