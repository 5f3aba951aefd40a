import type { ServerResponse } from 'node:http';
import { isJsonObject, objectIn, parseJsonObject, type JsonObject } from '../src/json-value.ts';
import { answerJson, JsonServer, type JsonRequest } from './json-server.ts';

const MICRO_TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/;

interface WatchEvent {
  readonly version: number;
  readonly type: string;
  readonly name: string;
  readonly object: JsonObject;
}

interface Watcher {
  readonly name: string;
  readonly response: ServerResponse;
}

/**
 * The Lease objects of one namespace as a real API server (1.36) keeps them: conflicts, missing
 * and stale versions, exact times, a Role limited to names, tokens that are replaced, watches that
 * forget. A write that changes nothing keeps the resourceVersion.
 */
export class KubernetesApi {
  readonly #objects = new Map<string, JsonObject>();
  readonly #watchers = new Set<Watcher>();
  readonly requests: string[] = [];
  /** The method that the Role does not allow. */
  forbidden: string | undefined;
  /** The token that is accepted; undefined accepts all. */
  token: string | undefined;
  #server: JsonServer | undefined;
  #events: WatchEvent[] = [];
  #version = 100;
  #compactedVersion = 0;

  static async start(): Promise<KubernetesApi> {
    const api = new KubernetesApi();
    api.#server = await JsonServer.start((request) => api.#answer(request));
    return api;
  }

  get port(): number {
    return this.#server?.port ?? 0;
  }

  async close(): Promise<void> {
    await this.#server?.close();
  }

  /** The object as kubectl would show it. */
  object(name: string): JsonObject | undefined {
    return this.#objects.get(name);
  }

  /** As `kubectl delete` does. */
  delete(name: string): void {
    const object = this.#objects.get(name);
    if (object === undefined) return;
    this.#objects.delete(name);
    this.#publish('DELETED', name, this.#stamped(object));
  }

  /** As `kubectl annotate` does. */
  annotate(name: string, annotations: Readonly<Record<string, string>>): void {
    const object = this.#objects.get(name) ?? {};
    const metadata = objectIn(object, 'metadata');
    const all = { ...objectIn(metadata, 'annotations'), ...annotations };
    this.#store(name, { ...object, metadata: { ...metadata, annotations: all } });
  }

  /** As another elector does that knows nothing of our annotations. */
  setSpec(name: string, spec: JsonObject): void {
    this.#store(name, { ...this.#objects.get(name), spec });
  }

  /** Forgets the past, and ends the watches that go on from there with 410. */
  compact(): void {
    this.#compactedVersion = this.#version;
    this.#events = [];
    for (const { response } of this.#watchers) {
      response.write(`${JSON.stringify({ type: 'ERROR', object: gone() })}\n`);
      response.end();
    }
    this.#watchers.clear();
  }

  #answer(request: JsonRequest): void {
    const { method, url, headers, response } = request;
    this.requests.push(method);
    if (this.token !== undefined && headers.authorization !== `Bearer ${this.token}`) {
      answerJson(response, 401, status(401, 'Unauthorized', 'Unauthorized'));
      return;
    }
    if (method === this.forbidden) {
      answerJson(response, 403, status(403, 'Forbidden', 'the Role lacks the verb'));
      return;
    }
    const path =
      /^\/apis\/coordination\.k8s\.io\/v1\/namespaces\/apps\/leases(?:\/(?<name>[^/]+))?$/;
    const match = path.exec(url.pathname);
    const name = match?.groups?.['name'];
    if (match === null) answerJson(response, 404, status(404, 'NotFound', 'no such path'));
    else if (name === undefined && method === 'GET') this.#list(request);
    else if (name === undefined && method === 'POST') this.#create(request);
    else if (name !== undefined && method === 'GET') this.#get(name, response);
    else if (name !== undefined && method === 'PUT') this.#replace(name, request);
    else if (name !== undefined && method === 'PATCH') this.#merge(name, request);
    else answerJson(response, 405, status(405, 'MethodNotAllowed', method));
  }

  #get(name: string, response: ServerResponse): void {
    const object = this.#objects.get(name);
    if (object !== undefined) answerJson(response, 200, object);
    else answerJson(response, 404, status(404, 'NotFound', `leases "${name}" not found`));
  }

  #list({ url, response }: JsonRequest): void {
    const selector = /^metadata\.name=(?<name>.+)$/.exec(
      url.searchParams.get('fieldSelector') ?? '',
    );
    const name = selector?.groups?.['name'];
    if (name === undefined) {
      answerJson(response, 403, status(403, 'Forbidden', 'cannot list resource "leases"'));
      return;
    }
    if (url.searchParams.get('watch') === 'true') {
      this.#watch(name, url.searchParams.get('resourceVersion') ?? '', response);
      return;
    }
    const object = this.#objects.get(name);
    const items = object === undefined ? [] : [object];
    const metadata = { resourceVersion: String(this.#version) };
    answerJson(response, 200, { kind: 'LeaseList', metadata, items });
  }

  #watch(name: string, version: string, response: ServerResponse): void {
    response.writeHead(200, { 'content-type': 'application/json' });
    const from = Number(version);
    if (from < this.#compactedVersion) {
      response.end(`${JSON.stringify({ type: 'ERROR', object: gone() })}\n`);
      return;
    }
    response.flushHeaders();
    for (const event of this.#events) {
      if (event.name === name && event.version > from) send(response, event.type, event.object);
    }
    const watcher = { name, response };
    this.#watchers.add(watcher);
    response.on('close', () => this.#watchers.delete(watcher));
  }

  #create({ text, response }: JsonRequest): void {
    const object = parseJsonObject(text);
    const metadata = objectIn(object, 'metadata');
    const name = String(metadata['name']);
    if (refuseInvalid(object, response)) return;
    if (metadata['resourceVersion'] !== undefined) {
      const message = 'resourceVersion should not be set on objects to be created';
      answerJson(response, 500, status(500, 'InternalError', message));
    } else if (this.#objects.has(name)) {
      answerJson(response, 409, status(409, 'AlreadyExists', `"${name}" already exists`));
    } else {
      const uid = `uid-${this.#version + 1}`;
      const whole = { ...object, metadata: { ...metadata, namespace: 'apps', uid } };
      answerJson(response, 201, this.#store(name, whole));
    }
  }

  #replace(name: string, { text, response }: JsonRequest): void {
    const object = parseJsonObject(text);
    const metadata = objectIn(object, 'metadata');
    const before = this.#objects.get(name);
    if (refuseInvalid(object, response)) return;
    const beforeMetadata = before === undefined ? {} : objectIn(before, 'metadata');
    if (metadata['resourceVersion'] === undefined) {
      const message = 'metadata.resourceVersion: must be specified for an update';
      answerJson(response, 422, status(422, 'Invalid', message));
    } else if (metadata['uid'] !== beforeMetadata['uid']) {
      answerJson(
        response,
        409,
        status(409, 'Conflict', 'Precondition failed: UID in precondition'),
      );
    } else if (metadata['resourceVersion'] !== beforeMetadata['resourceVersion']) {
      answerJson(response, 409, status(409, 'Conflict', 'the object has been modified'));
    } else if (JSON.stringify(before) === JSON.stringify(object)) {
      answerJson(response, 200, before);
    } else {
      answerJson(response, 200, this.#store(name, object));
    }
  }

  /** Without a resourceVersion it overwrites blindly, as the real one does. */
  #merge(name: string, { text, response }: JsonRequest): void {
    const patch = parseJsonObject(text);
    const before = this.#objects.get(name);
    const wanted = objectIn(patch, 'metadata')['resourceVersion'];
    if (before === undefined) {
      answerJson(response, 404, status(404, 'NotFound', name));
    } else if (wanted !== undefined && wanted !== objectIn(before, 'metadata')['resourceVersion']) {
      answerJson(response, 409, status(409, 'Conflict', 'the object has been modified'));
    } else {
      const merged = {
        ...before,
        spec: { ...objectIn(before, 'spec'), ...objectIn(patch, 'spec') },
      };
      answerJson(response, 200, this.#store(name, merged));
    }
  }

  #store(name: string, object: JsonObject): JsonObject {
    const type = this.#objects.has(name) ? 'MODIFIED' : 'ADDED';
    const stored = this.#stamped(object);
    this.#objects.set(name, stored);
    this.#publish(type, name, stored);
    return stored;
  }

  #stamped(object: JsonObject): JsonObject {
    this.#version += 1;
    const metadata = { ...objectIn(object, 'metadata'), resourceVersion: String(this.#version) };
    // What is set to null or left out of an annotation is not stored.
    return parseJsonObject(JSON.stringify({ ...object, metadata }));
  }

  #publish(type: string, name: string, object: JsonObject): void {
    this.#events.push({ version: this.#version, type, name, object });
    for (const watcher of this.#watchers) {
      if (watcher.name === name) send(watcher.response, type, object);
    }
  }
}

function send(response: ServerResponse, type: string, object: JsonObject): void {
  response.write(`${JSON.stringify({ type, object })}\n`);
}

function status(code: number, reason: string, message: string): JsonObject {
  return { kind: 'Status', apiVersion: 'v1', status: 'Failure', message, reason, code };
}

function gone(): JsonObject {
  return status(410, 'Expired', 'too old resource version');
}

function refuseInvalid(object: JsonObject, response: ServerResponse): boolean {
  const spec = objectIn(object, 'spec');
  for (const field of ['renewTime', 'acquireTime']) {
    const time = spec[field];
    if (time === undefined || (typeof time === 'string' && MICRO_TIME.test(time))) continue;
    answerJson(response, 400, status(400, 'BadRequest', `parsing time ${JSON.stringify(time)}`));
    return true;
  }
  const seconds = spec['leaseDurationSeconds'];
  if (seconds !== undefined && !(Number.isInteger(seconds) && Number(seconds) > 0)) {
    const message = 'spec.leaseDurationSeconds: must be greater than 0';
    answerJson(response, 422, status(422, 'Invalid', message));
    return true;
  }
  const annotations = objectIn(object, 'metadata')['annotations'];
  const areTexts =
    !isJsonObject(annotations) ||
    Object.values(annotations).every((text) => typeof text === 'string');
  if (areTexts) return false;
  answerJson(response, 400, status(400, 'BadRequest', 'annotations must be strings'));
  return true;
}
