import { randomUUID } from 'node:crypto';
import { assert } from '@tandem/base';
import { bodySizeBytes, partsOf } from './body-parts.ts';
import { checkKey, checkPrefix, compareKeys, isKey } from './object-key.ts';
import type {
  ByteRange,
  ConditionalWrites,
  ListOptions,
  ObjectBody,
  ObjectStat,
  ObjectStore,
  PutOptions,
  StoredObject,
} from './object-store.ts';
import type { S3Answer, S3Client } from './s3-client.ts';
import { listBucket } from './s3-list.ts';
import type { S3Location } from './s3-location.ts';
import { streamObject } from './s3-stream.ts';
import { partBytesFor, uploadInParts } from './s3-upload.ts';
import { StorageError } from './storage-error.ts';
import { checkStore } from './store-check.ts';

/** Where Litestream keeps the time of an LTX file (`MetadataKeyTimestamp`), as RFC 3339. */
const CREATED_HEADER = 'x-amz-meta-litestream-timestamp';
const NOT_FOUND = 404;
const PRECONDITION_FAILED = 412;
const RANGE_NOT_SATISFIABLE = 416;

export interface S3StoreOptions {
  readonly client: S3Client;
  readonly location: S3Location;
  readonly url: string;
  /** Bodies above this size go in parts of it; so much memory an upload takes. */
  readonly partBytes: number;
}

/** Objects in a bucket of Amazon S3 or of a server that speaks its protocol. */
export class S3Store implements ObjectStore {
  readonly url: string;
  readonly layout = 'bucket';
  readonly #client: S3Client;
  readonly #location: S3Location;
  readonly #partBytes: number;
  #conditionalWrites: ConditionalWrites | undefined;

  constructor({ client, location, url, partBytes }: S3StoreOptions) {
    this.url = url;
    this.#client = client;
    this.#location = location;
    this.#partBytes = partBytes;
  }

  async put(key: string, body: ObjectBody, options: PutOptions = {}): Promise<void> {
    checkKey(key);
    const sizeBytes = bodySizeBytes(body);
    const partBytes = partBytesFor(sizeBytes, this.#partBytes);
    const parts = partsOf(body, partBytes);
    const headers = createdHeader(options);
    if (sizeBytes > partBytes) {
      await uploadInParts(this.#client, { key, headers, sizeBytes, parts });
      return;
    }
    await this.#putWhole(key, await lastOf(parts), headers);
  }

  async putIfAbsent(key: string, body: Uint8Array): Promise<boolean> {
    checkKey(key);
    // Servers that ignore the condition overwrite (s3rver, older Ceph and MinIO): look first.
    if (this.#conditionalWrites !== 'honoured' && (await this.#exists(key))) return false;
    return this.#putConditionally(key, body);
  }

  async probeConditionalWrites(): Promise<ConditionalWrites> {
    if (this.#conditionalWrites !== undefined) return this.#conditionalWrites;
    const key = `tandem-probe-${randomUUID()}`;
    try {
      await this.#putConditionally(key, Buffer.from('1'));
      if (this.#conditionalWrites === undefined) {
        const isOverwritten = await this.#putConditionally(key, Buffer.from('2'));
        this.#conditionalWrites ??= isOverwritten ? 'ignored' : 'honoured';
      }
    } finally {
      await this.delete(key);
    }
    return this.#conditionalWrites;
  }

  async get(key: string, range?: ByteRange): Promise<Uint8Array> {
    checkKey(key);
    assert(range === undefined || range.lengthBytes >= 1, 'a range has at least one byte');
    const action = `read ${key}`;
    if (range === undefined)
      return (await this.#client.send({ action, method: 'GET', key }, Infinity)).body;
    const { offset, lengthBytes } = range;
    const headers = { range: `bytes=${offset}-${offset + lengthBytes - 1}` };
    const answer = await this.#client.send(
      { action, method: 'GET', key, headers, alsoExpected: [206, RANGE_NOT_SATISFIABLE] },
      Infinity,
    );
    if (answer.status === RANGE_NOT_SATISFIABLE) return new Uint8Array();
    // A server may ignore the range and send everything.
    return answer.status === 206 ? answer.body : answer.body.subarray(offset, offset + lengthBytes);
  }

  async *stream(key: string): AsyncGenerator<Uint8Array> {
    checkKey(key);
    yield* streamObject(this.#client, key);
  }

  async stat(key: string): Promise<ObjectStat> {
    checkKey(key);
    const answer = await this.#client.send({ action: `look at ${key}`, method: 'HEAD', key });
    const sizeBytes = Number(answer.headers['content-length']);
    const modifiedMs = Date.parse(answer.headers['last-modified'] ?? '');
    if (!Number.isSafeInteger(sizeBytes) || Number.isNaN(modifiedMs))
      throw new StorageError(
        'storage_response_invalid',
        `The server does not say how large or how old ${key} is`,
        { hint: 'A proxy on the way may have removed the headers; name the server itself.' },
      );
    return { key, sizeBytes, modifiedMs, createdMs: createdMs(answer) ?? modifiedMs };
  }

  async *list(prefix: string, options: ListOptions = {}): AsyncGenerator<StoredObject> {
    checkPrefix(prefix);
    const { after } = options;
    for await (const object of listBucket(this.#client, this.#location, { prefix, after })) {
      // Folders that a web console makes as empty objects (`db/`), and what else is not ours.
      if (!isKey(object.key)) continue;
      if (after !== undefined && compareKeys(object.key, after) <= 0) continue;
      yield object;
    }
  }

  async delete(key: string): Promise<void> {
    checkKey(key);
    const action = `delete ${key}`;
    await this.#client.send({ action, method: 'DELETE', key, alsoExpected: [204, NOT_FOUND] });
  }

  async check(): Promise<void> {
    await checkStore(this);
  }

  async #putWhole(
    key: string,
    body: Uint8Array,
    headers: Readonly<Record<string, string>>,
  ): Promise<S3Answer> {
    const alsoExpected = [PRECONDITION_FAILED];
    return this.#client.send({
      action: `write ${key}`,
      method: 'PUT',
      key,
      headers,
      body,
      ...('if-none-match' in headers ? { alsoExpected } : {}),
    });
  }

  async #putConditionally(key: string, body: Uint8Array): Promise<boolean> {
    if (this.#conditionalWrites === 'refused') {
      await this.#putWhole(key, body, {});
      return true;
    }
    try {
      const answer = await this.#putWhole(key, body, { 'if-none-match': '*' });
      if (answer.status !== PRECONDITION_FAILED) return true;
      // B2: the object may be ours, from an attempt whose answer was lost.
      return answer.attemptNumber > 1 && Buffer.from(body).equals(await this.get(key));
    } catch (error) {
      const isRefused = error instanceof StorageError && error.code === 'storage_unsupported';
      if (!isRefused) throw error;
      this.#conditionalWrites = 'refused';
      return this.#putConditionally(key, body);
    }
  }

  async #exists(key: string): Promise<boolean> {
    const action = `look at ${key}`;
    const answer = await this.#client.send({
      action,
      method: 'HEAD',
      key,
      alsoExpected: [NOT_FOUND],
    });
    return answer.status === 200;
  }
}

/** The only part of a body that fits one; asking for another is what shows a body too long. */
async function lastOf(parts: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  let last: Uint8Array = new Uint8Array();
  for await (const part of parts) last = part;
  return last;
}

function createdHeader({ createdMs }: PutOptions): Readonly<Record<string, string>> {
  return createdMs === undefined ? {} : { [CREATED_HEADER]: new Date(createdMs).toISOString() };
}

function createdMs({ headers }: S3Answer): number | undefined {
  const text = headers[CREATED_HEADER];
  const timeMs = typeof text === 'string' ? Date.parse(text) : Number.NaN;
  return Number.isNaN(timeMs) ? undefined : timeMs;
}
