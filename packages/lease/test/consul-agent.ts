import type { ServerResponse } from 'node:http';
import { isJsonObject, numberIn, objectIn, stringIn, type JsonObject } from '../src/json-value.ts';
import { answerJson, JsonServer, type JsonRequest } from './json-server.ts';

interface Session {
  readonly id: string;
  readonly ttlMs: number;
  readonly lockDelayMs: number;
  readonly checks: unknown;
  endsMs: number;
}

interface Entry {
  readonly key: string;
  readonly value: string;
  readonly createIndex: number;
  readonly modifyIndex: number;
  readonly lockIndex: number;
  readonly session: string | undefined;
}

interface Waiter {
  readonly prefix: string;
  readonly after: number;
  readonly response: ServerResponse;
}

type Operation = (apply: boolean) => string | undefined;

/**
 * Sessions, keys, transactions and blocking queries of one Consul agent. A session is over
 * `ttlFactor` times its TTL after it was renewed (Consul promises only that it is not before one
 * TTL), and the lock delay keeps its keys from being locked for a while.
 */
export class ConsulAgent {
  readonly #clock: { readonly nowMs: number };
  readonly #sessions = new Map<string, Session>();
  readonly #entries = new Map<string, Entry>();
  readonly #delays = new Map<string, number>();
  readonly #waiters = new Set<Waiter>();
  /** The ACL token that is wanted; undefined wants none. */
  token: string | undefined;
  ttlFactor = 2;
  #server: JsonServer | undefined;
  #index = 10;
  #sessionCount = 0;

  private constructor(clock: { readonly nowMs: number }) {
    this.#clock = clock;
  }

  static async start(clock: { readonly nowMs: number }): Promise<ConsulAgent> {
    const agent = new ConsulAgent(clock);
    agent.#server = await JsonServer.start((request) => agent.#answer(request));
    return agent;
  }

  get port(): number {
    return this.#server?.port ?? 0;
  }

  get sessions(): readonly { readonly id: string; readonly checks: unknown }[] {
    return [...this.#sessions.values()];
  }

  async close(): Promise<void> {
    await this.#server?.close();
  }

  /** As `consul kv delete -recurse` does. */
  delete(prefix: string): void {
    this.#index += 1;
    for (const key of this.#entries.keys()) {
      if (key.startsWith(prefix)) this.#entries.delete(key);
    }
    this.#wake();
  }

  /** Ends sessions whose time is over. */
  expire(): void {
    for (const session of this.#sessions.values()) {
      if (this.#clock.nowMs >= session.endsMs) this.#end(session);
    }
    this.#wake();
  }

  #answer(request: JsonRequest): void {
    const { method, url, headers, response } = request;
    this.expire();
    if (this.token !== undefined && headers['x-consul-token'] !== this.token) {
      response.writeHead(403).end('Permission denied: token lacks permission');
      return;
    }
    const path = decodeURIComponent(url.pathname);
    const session = /^\/v1\/session\/(?<verb>create|renew|destroy)(?:\/(?<id>.+))?$/.exec(path);
    const key = /^\/v1\/kv\/(?<key>.+)$/.exec(path)?.groups?.['key'];
    const { verb, id = '' } = session?.groups ?? {};
    if (verb === 'create') this.#create(request);
    else if (verb === 'renew') this.#renew(id, response);
    else if (verb === 'destroy') this.#destroy(id, response);
    else if (path === '/v1/txn') this.#transact(request);
    else if (key !== undefined && method === 'GET') this.#read(key, request);
    else if (key !== undefined && method === 'PUT') this.#write(key, request);
    else response.writeHead(404).end('no such path');
  }

  #create({ text, response }: JsonRequest): void {
    const body = parse(text);
    const ttlMs = Number(/^(\d+)s$/.exec(stringIn(body, 'TTL') ?? '')?.[1]) * 1000;
    const lockDelayMs = Number(/^(\d+)ms$/.exec(stringIn(body, 'LockDelay') ?? '')?.[1]);
    if (!(ttlMs >= 10_000 && ttlMs <= 86_400_000)) {
      response.writeHead(400).end('Invalid Session TTL, must be between [10s=24h0m0s]');
      return;
    }
    this.#sessionCount += 1;
    const id = `session-${this.#sessionCount}`;
    const endsMs = this.#clock.nowMs + ttlMs * this.ttlFactor;
    this.#sessions.set(id, { id, ttlMs, lockDelayMs, checks: body['NodeChecks'], endsMs });
    answerJson(response, 200, { ID: id });
  }

  #renew(id: string, response: ServerResponse): void {
    const session = this.#sessions.get(id);
    if (session === undefined) {
      response.writeHead(404).end(`Session id '${id}' not found`);
      return;
    }
    session.endsMs = this.#clock.nowMs + session.ttlMs * this.ttlFactor;
    answerJson(response, 200, [{ ID: id, TTL: `${session.ttlMs / 1000}s` }]);
  }

  #destroy(id: string, response: ServerResponse): void {
    const session = this.#sessions.get(id);
    if (session !== undefined) this.#end(session);
    this.#wake();
    answerJson(response, 200, true);
  }

  /** Keys of the session stay, unlocked, and may not be locked again before the delay is over. */
  #end(session: Session): void {
    this.#sessions.delete(session.id);
    this.#index += 1;
    for (const entry of this.#entries.values()) {
      if (entry.session !== session.id) continue;
      this.#put(entry.key, { value: entry.value, session: undefined });
      this.#delays.set(entry.key, this.#clock.nowMs + session.lockDelayMs);
    }
  }

  #write(key: string, { url, text, response }: JsonRequest): void {
    const cas = url.searchParams.get('cas');
    const current = this.#entries.get(key)?.modifyIndex ?? 0;
    if (cas !== null && Number(cas) !== current) {
      answerJson(response, 200, false);
      return;
    }
    this.#index += 1;
    const value = Buffer.from(text).toString('base64');
    this.#put(key, { value, session: this.#entries.get(key)?.session });
    this.#wake();
    answerJson(response, 200, true);
  }

  #transact({ text, response }: JsonRequest): void {
    const list: unknown = JSON.parse(text);
    const operations = (Array.isArray(list) ? list : [])
      .filter(isJsonObject)
      .map((item) => this.#operation(objectIn(item, 'KV')));
    const errors = operations.flatMap((operation, index) => {
      const what = operation(false);
      return what === undefined ? [] : [{ OpIndex: index, What: what }];
    });
    if (errors.length > 0) {
      answerJson(response, 409, { Results: null, Errors: errors });
      return;
    }
    this.#index += 1;
    for (const operation of operations) operation(true);
    this.#wake();
    answerJson(response, 200, { Results: [], Errors: null });
  }

  /** What an operation of a transaction does; without `apply` it only says what forbids it. */
  #operation(body: JsonObject): Operation {
    const key = stringIn(body, 'Key') ?? '';
    const session = stringIn(body, 'Session') ?? '';
    const value = stringIn(body, 'Value') ?? '';
    const entry = this.#entries.get(key);
    const put = (holder: string | undefined, apply: boolean): undefined => {
      if (apply) this.#put(key, { value, session: holder });
    };
    switch (stringIn(body, 'Verb') ?? '') {
      case 'check-index':
        return () =>
          entry?.modifyIndex === numberIn(body, 'Index')
            ? undefined
            : 'current modify index differs';
      case 'check-session':
        return () => (entry?.session === session ? undefined : 'current session differs');
      case 'lock':
        return (apply) => {
          if (!this.#sessions.has(session)) return 'invalid session';
          if ((this.#delays.get(key) ?? 0) > this.#clock.nowMs) return 'due to lock delay';
          if (entry?.session !== undefined && entry.session !== session) return 'already held';
          return put(session, apply);
        };
      case 'unlock':
        return (apply) =>
          entry?.session === session ? put(undefined, apply) : "failed to unlock, lock isn't held";
      case 'set':
        return (apply) => put(entry?.session, apply);
      default:
        return () => 'unknown verb';
    }
  }

  #put(key: string, change: { value: string; session: string | undefined }): void {
    const before = this.#entries.get(key);
    const isNewLock = change.session !== undefined && before?.session !== change.session;
    this.#entries.set(key, {
      key,
      ...change,
      createIndex: before?.createIndex ?? this.#index,
      modifyIndex: this.#index,
      lockIndex: (before?.lockIndex ?? 0) + (isNewLock ? 1 : 0),
    });
  }

  #read(prefix: string, { url, response }: JsonRequest): void {
    const after = Number(url.searchParams.get('index') ?? 0);
    const waiter = { prefix, after, response };
    if (after < this.#index) {
      this.#tell(waiter);
      return;
    }
    this.#waiters.add(waiter);
    response.on('close', () => this.#waiters.delete(waiter));
  }

  #wake(): void {
    for (const waiter of this.#waiters) {
      if (waiter.after >= this.#index) continue;
      this.#waiters.delete(waiter);
      this.#tell(waiter);
    }
  }

  #tell({ prefix, response }: Waiter): void {
    const found = [...this.#entries.values()].filter(({ key }) => key.startsWith(prefix));
    const headers = { 'x-consul-index': String(this.#index) };
    if (found.length === 0) {
      response.writeHead(404, headers).end();
      return;
    }
    const list = found.map((entry) => ({
      LockIndex: entry.lockIndex,
      Key: entry.key,
      Flags: 0,
      Value: entry.value,
      CreateIndex: entry.createIndex,
      ModifyIndex: entry.modifyIndex,
      ...(entry.session === undefined ? {} : { Session: entry.session }),
    }));
    answerJson(response, 200, list, headers);
  }
}

function parse(text: string): JsonObject {
  const value: unknown = JSON.parse(text);
  return isJsonObject(value) ? value : {};
}
