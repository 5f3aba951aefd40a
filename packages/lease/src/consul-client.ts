import { HttpConnection, type HttpAnswer, type TlsSettings } from './http-connection.ts';
import { isJsonObject, numberIn, stringIn, tryParseJson, type JsonObject } from './json-value.ts';
import { LeaseError } from './lease-error.ts';
import { parseServerUrl } from './lease-settings.ts';

/** How Consul is reached. */
export interface ConsulAccess {
  /** Such as `http://127.0.0.1:8500`. */
  readonly url: string;
  readonly token?: string;
  readonly tls?: TlsSettings;
}

/** One key with what Consul knows of it. */
export interface ConsulEntry {
  readonly key: string;
  readonly text: string;
  readonly modifyIndex: number;
  /** The session that holds the lock. */
  readonly session?: string;
}

/** The entries below a prefix, and the index from which to wait for a change. */
export interface ConsulEntries {
  readonly entries: readonly ConsulEntry[];
  readonly index: number;
}

/** What a session is made of. */
export interface ConsulSessionSettings {
  readonly name: string;
  readonly ttlMs: number;
  readonly lockDelayMs: number;
}

/** The wait of a blocking query. Consul adds up to a sixteenth to it. */
const WAIT_SECONDS = 60;
const WAIT_LIMIT_MS = WAIT_SECONDS * 1000 * 1.25;

/**
 * Takes a LiteFS-like address apart: the password is the ACL token, the path a prefix of keys.
 *
 * @throws LeaseError `lease_bad_setting` when it is no HTTP URL.
 */
export function parseConsulUrl(text: string): ConsulAccess & { readonly keyPrefix: string } {
  const url = parseServerUrl("Consul's address", text);
  const token = decodeURIComponent(url.password);
  const keyPrefix = url.pathname.replace(/^\/+|\/+$/g, '');
  return { url: url.origin, keyPrefix, ...(token === '' ? {} : { token }) };
}

/** Requests to Consul's HTTP interface: sessions, keys, transactions. */
export class ConsulClient {
  readonly #connection: HttpConnection;
  readonly #headers: Readonly<Record<string, string>>;

  /** @throws LeaseError `lease_bad_setting` when the address is no HTTP URL. */
  constructor(access: ConsulAccess) {
    const parsed = parseConsulUrl(access.url);
    const token = access.token ?? parsed.token;
    this.#connection = new HttpConnection(new URL(parsed.url), access.tls);
    this.#headers = token === undefined ? {} : { 'x-consul-token': token };
  }

  /**
   * The id of a new session. It has no health checks: with the default one, a flap of the gossip
   * would drop the lock. Behaviour 'release' keeps the key, and with it the epoch.
   */
  async createSession(settings: ConsulSessionSettings, timeoutMs: number): Promise<string> {
    const body = JSON.stringify({
      Name: settings.name,
      TTL: `${Math.ceil(settings.ttlMs / 1000)}s`,
      LockDelay: `${settings.lockDelayMs}ms`,
      Behavior: 'release',
      Checks: [],
      NodeChecks: [],
    });
    const answer = await this.#put('/v1/session/create', body, timeoutMs);
    const value = tryParseJson(mustBeGood('session/create', answer).text);
    const id = isJsonObject(value) ? stringIn(value, 'ID') : undefined;
    if (id !== undefined) return id;
    throw new LeaseError('lease_bad_answer', 'Consul named no session.');
  }

  /** Whether the session is still there. */
  async renewSession(id: string, timeoutMs: number): Promise<boolean> {
    const answer = await this.#put(`/v1/session/renew/${encodeURIComponent(id)}`, '', timeoutMs);
    if (answer.status === 404) return false;
    mustBeGood('session/renew', answer);
    return true;
  }

  /** Ends the session and thereby lets go of its locks, after the lock delay. */
  async destroySession(id: string, timeoutMs: number): Promise<void> {
    const path = `/v1/session/destroy/${encodeURIComponent(id)}`;
    mustBeGood('session/destroy', await this.#put(path, '', timeoutMs));
  }

  /** The key and what is below it, as the leader has it. */
  async read(key: string, timeoutMs: number): Promise<ConsulEntries> {
    const path = `/v1/kv/${keyPath(key)}?recurse=&consistent=`;
    const answer = await this.#connection.exchange({
      method: 'GET',
      path,
      headers: this.#headers,
      timeoutMs,
    });
    return decodeEntries(key, answer);
  }

  /** As `read`, but answers when the index is no longer `after`, or after a minute. */
  async readChange(key: string, after: number, signal: AbortSignal): Promise<ConsulEntries> {
    const query = `recurse=&index=${after}&wait=${WAIT_SECONDS}s`;
    const answer = await this.#connection.exchange({
      method: 'GET',
      path: `/v1/kv/${keyPath(key)}?${query}`,
      headers: this.#headers,
      timeoutMs: WAIT_LIMIT_MS,
      signal,
    });
    return decodeEntries(key, answer);
  }

  /** Writes the key if there is none. Returns whether it did. */
  async createKey(key: string, text: string, timeoutMs: number): Promise<boolean> {
    const answer = await this.#put(`/v1/kv/${keyPath(key)}?cas=0`, text, timeoutMs);
    return mustBeGood('kv', answer).text.trim() === 'true';
  }

  /** All of the operations or none. Returns whether they were done. */
  async transact(operations: readonly JsonObject[], timeoutMs: number): Promise<boolean> {
    const body = JSON.stringify(operations.map((operation) => ({ KV: operation })));
    const answer = await this.#put('/v1/txn', body, timeoutMs);
    if (answer.status === 409) return false;
    mustBeGood('txn', answer);
    return true;
  }

  close(): void {
    this.#connection.close();
  }

  #put(path: string, body: string, timeoutMs: number): Promise<HttpAnswer> {
    const headers = this.#headers;
    return this.#connection.exchange({ method: 'PUT', path, body, headers, timeoutMs });
  }
}

function keyPath(key: string): string {
  return key.split('/').map(encodeURIComponent).join('/');
}

function decodeEntries(key: string, answer: HttpAnswer): ConsulEntries {
  const index = Number(answer.headers['x-consul-index'] ?? 0);
  if (answer.status === 404) return { entries: [], index };
  const value = tryParseJson(mustBeGood('kv', answer).text);
  if (!Array.isArray(value))
    throw new LeaseError('lease_bad_answer', 'Consul gave no list of keys.');
  const entries = value.filter(isJsonObject).map(decodeEntry);
  // The prefix is one of text: KEY2 begins with KEY too.
  return { entries: entries.filter((entry) => isBelow(key, entry.key)), index };
}

function isBelow(key: string, other: string): boolean {
  return other === key || other.startsWith(`${key}/`);
}

function decodeEntry(value: JsonObject): ConsulEntry {
  const session = stringIn(value, 'Session') ?? '';
  return {
    key: stringIn(value, 'Key') ?? '',
    text: Buffer.from(stringIn(value, 'Value') ?? '', 'base64').toString('utf8'),
    modifyIndex: numberIn(value, 'ModifyIndex') ?? 0,
    ...(session === '' ? {} : { session }),
  };
}

function mustBeGood(what: string, answer: HttpAnswer): HttpAnswer {
  const { status, text } = answer;
  if (status === 200) return answer;
  const said = `Consul answered ${status} to ${what}: ${text.slice(0, 300)}`;
  if (status === 401 || status === 403) {
    throw new LeaseError('lease_denied', said, {
      retryable: true,
      hint: 'Give the token key:write on the key of the lease and session:write on the node.',
    });
  }
  if (status >= 500 || status === 429) {
    throw new LeaseError('lease_no_answer', said, { retryable: true });
  }
  throw new LeaseError('lease_bad_answer', said, {
    hint: 'Check that the address is that of a Consul agent.',
  });
}
