import { createHash } from 'node:crypto';
import { type IncomingMessage, type Server, type ServerResponse, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type ObjectStore, type StoreOptions, openStore } from '@tandem/storage';

/** A request as the double sees it. */
export interface DoubleRequest {
  readonly method: string;
  /** Decoded, without the bucket. */
  readonly key: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingMessage['headers'];
  readonly body: Buffer;
}

/**
 * What happens to a request instead of, or around, the usual: true when it has been answered.
 * `act` does the usual without answering.
 */
export type Fault = (
  request: DoubleRequest,
  response: ServerResponse,
  act: () => void,
) => boolean | Promise<boolean>;

interface Stored {
  readonly body: Buffer;
  readonly metadata: Readonly<Record<string, string>>;
  readonly modifiedMs: number;
}

interface Upload {
  readonly key: string;
  readonly metadata: Readonly<Record<string, string>>;
  readonly parts: Map<number, Buffer>;
}

const BUCKET = 'backup';

/**
 * A small S3 server in memory that honours `If-None-Match`, pages its listings as small as it is
 * told, and misbehaves on demand. It checks the hashes of bodies, not signatures; s3rver does those.
 */
export class S3Double {
  readonly objects = new Map<string, Stored>();
  readonly uploads = new Map<string, Upload>();
  /** Method and key of each request. */
  readonly seen: string[] = [];
  /** Asked before each request, in order; the first that answers ends it. */
  readonly faults: Fault[] = [];
  pageObjectsMax = 1000;
  honoursConditions = true;
  givesTokens = true;
  readonly #server: Server;

  private constructor() {
    this.#server = createServer((request, response) => {
      this.#serve(request, response).catch((error: unknown) => {
        response.destroy(error instanceof Error ? error : new Error(String(error)));
      });
    });
  }

  static async start(): Promise<S3Double> {
    const double = new S3Double();
    const { promise, resolve } = Promise.withResolvers<void>();
    double.#server.listen(0, '127.0.0.1', resolve);
    await promise;
    return double;
  }

  get endpoint(): string {
    const { port } = this.#server.address() as AddressInfo;
    return `http://127.0.0.1:${port}`;
  }

  /** A store under the prefix `store`; `reset` empties it. */
  newStore(options: StoreOptions = {}): ObjectStore {
    return openStore(`s3://${BUCKET}/store?endpoint=${this.endpoint}`, {
      credentials: { accessKeyId: 'KEY', secretAccessKey: 'SECRET' },
      partBytes: 5 * 1024 * 1024,
      sleep: async () => undefined,
      random: () => 0.5,
      ...options,
    });
  }

  /** Forgets objects and faults; what a test leaves is not the next one's. */
  reset(): void {
    this.objects.clear();
    this.uploads.clear();
    this.seen.length = 0;
    this.faults.length = 0;
    this.pageObjectsMax = 1000;
    this.honoursConditions = true;
    this.givesTokens = true;
  }

  stop(): void {
    this.#server.closeAllConnections();
    this.#server.close();
  }

  async #serve(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Uint8Array[] = [];
    for await (const chunk of incoming) chunks.push(chunk as Uint8Array);
    const url = new URL(incoming.url ?? '/', this.endpoint);
    const request: DoubleRequest = {
      method: incoming.method ?? '',
      key: decodeURIComponent(url.pathname).slice(BUCKET.length + 2),
      query: url.searchParams,
      headers: incoming.headers,
      body: Buffer.concat(chunks),
    };
    this.seen.push(`${request.method} ${request.key}`);
    for (const fault of this.faults)
      if (await fault(request, response, () => void this.#act(request))) return;
    const { status, headers, body } = this.#act(request);
    response.writeHead(status, { 'content-length': body.length, ...headers });
    response.end(request.method === 'HEAD' ? undefined : body);
  }

  #act(request: DoubleRequest): Answer {
    const hash = createHash('sha256').update(request.body).digest('hex');
    if (request.headers['x-amz-content-sha256'] !== hash) return refused(400, 'BadDigest');
    const uploadId = request.query.get('uploadId');
    switch (request.method) {
      case 'GET':
        return request.query.has('list-type') ? this.#list(request.query) : this.#get(request);
      case 'HEAD':
        return this.#get(request);
      case 'PUT':
        return uploadId === null ? this.#put(request) : this.#putPart(request, uploadId);
      case 'POST':
        return uploadId === null ? this.#beginUpload(request) : this.#complete(request, uploadId);
      case 'DELETE':
        if (uploadId === null) this.objects.delete(request.key);
        else this.uploads.delete(uploadId);
        return answer(204);
      default:
        return refused(405, 'MethodNotAllowed');
    }
  }

  #get({ key, headers }: DoubleRequest): Answer {
    const stored = this.objects.get(key);
    if (stored === undefined) return refused(404, 'NoSuchKey');
    const common = {
      ...stored.metadata,
      etag: etagOf(stored.body),
      'last-modified': new Date(stored.modifiedMs).toUTCString(),
    };
    const range = /^bytes=(?<start>\d+)-(?<end>\d*)$/.exec(headers.range ?? '')?.groups;
    if (range === undefined)
      return answer(200, stored.body, { ...common, 'content-length': String(stored.body.length) });
    const start = Number(range['start']);
    if (start >= stored.body.length) return refused(416, 'InvalidRange');
    const end = range['end'] === '' ? stored.body.length : Number(range['end']) + 1;
    return answer(206, stored.body.subarray(start, end), common);
  }

  #put(request: DoubleRequest): Answer {
    const isConditional = this.honoursConditions && request.headers['if-none-match'] === '*';
    if (isConditional && this.objects.has(request.key)) return refused(412, 'PreconditionFailed');
    this.#store(request.key, request.body, metadataOf(request));
    return answer(200, '', { etag: etagOf(request.body) });
  }

  #store(key: string, body: Buffer, metadata: Readonly<Record<string, string>>): void {
    this.objects.set(key, { body, metadata, modifiedMs: Date.now() });
  }

  #beginUpload(request: DoubleRequest): Answer {
    const id = `upload-${this.uploads.size + 1}&<more>`;
    this.uploads.set(id, { key: request.key, metadata: metadataOf(request), parts: new Map() });
    const { key } = request;
    const document = `<Bucket>${BUCKET}</Bucket><Key>${escaped(key)}</Key><UploadId>${escaped(id)}</UploadId>`;
    return answer(200, xml('InitiateMultipartUploadResult', document));
  }

  #putPart({ query, body }: DoubleRequest, uploadId: string): Answer {
    const upload = this.uploads.get(uploadId);
    if (upload === undefined) return refused(404, 'NoSuchUpload');
    upload.parts.set(Number(query.get('partNumber')), body);
    return answer(200, '', { etag: etagOf(body) });
  }

  #complete(request: DoubleRequest, uploadId: string): Answer {
    const upload = this.uploads.get(uploadId);
    if (upload === undefined) return refused(404, 'NoSuchUpload');
    const wanted = [
      ...request.body
        .toString()
        .matchAll(/<PartNumber>(?<number>\d+)<\/PartNumber><ETag>&quot;(?<etag>\w+)&quot;/g),
    ].map(({ groups }) => groups);
    const parts = wanted.map((part) => upload.parts.get(Number(part?.['number'])) ?? Buffer.of());
    const isWhole = parts.every((part, index) => etagOf(part) === `"${wanted[index]?.['etag']}"`);
    if (!isWhole || parts.length !== upload.parts.size) return refused(400, 'InvalidPart');
    this.#store(upload.key, Buffer.concat(parts), upload.metadata);
    this.uploads.delete(uploadId);
    return answer(200, xml('CompleteMultipartUploadResult', '<ETag>whole</ETag>'));
  }

  #list(query: URLSearchParams): Answer {
    const after = query.get('continuation-token') ?? query.get('start-after') ?? '';
    const prefix = query.get('prefix') ?? '';
    const keys = [...this.objects.keys()]
      .filter(
        (key) => key.startsWith(prefix) && Buffer.compare(Buffer.from(key), Buffer.from(after)) > 0,
      )
      .sort((left, right) => Buffer.compare(Buffer.from(left), Buffer.from(right)));
    const page = keys.slice(0, this.pageObjectsMax);
    const contents = page.map((key) => {
      const { body, modifiedMs } = this.objects.get(key) ?? { body: Buffer.of(), modifiedMs: 0 };
      const modified = new Date(modifiedMs).toISOString();
      return `<Contents><Key>${escaped(key)}</Key><Size>${body.length}</Size><LastModified>${modified}</LastModified></Contents>`;
    });
    const isTruncated = keys.length > page.length;
    const token = isTruncated && this.givesTokens ? escaped(page.at(-1) ?? '') : undefined;
    const next =
      token === undefined ? '' : `<NextContinuationToken>${token}</NextContinuationToken>`;
    const document = `<IsTruncated>${isTruncated}</IsTruncated>${next}\n${contents.join('\n')}`;
    return answer(200, xml('ListBucketResult', document));
  }
}

interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

function answer(
  status: number,
  body: Buffer | string = '',
  headers: Answer['headers'] = {},
): Answer {
  return { status, headers, body: Buffer.from(body) };
}

/** An error document, as an answer of its own or for a fault. */
export function errorDocument(code: string, message = 'as the test asked'): string {
  return xml('Error', `<Code>${code}</Code><Message>${message}</Message>`);
}

function refused(status: number, code: string): Answer {
  return answer(status, errorDocument(code));
}

function xml(root: string, inner: string): string {
  return `<?xml version="1.0" encoding="UTF-8"?>\n<${root} xmlns="http://s3.amazonaws.com/doc/2006-03-01/">${inner}</${root}>`;
}

/** With numbers for quotes, as Go's servers do. */
function escaped(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&#34;')
    .replaceAll("'", '&#39;');
}

function etagOf(body: Buffer): string {
  return `"${createHash('md5').update(body).digest('hex')}"`;
}

function metadataOf({ headers }: DoubleRequest): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(headers).filter((entry): entry is [string, string] =>
      entry[0].startsWith('x-amz-meta-'),
    ),
  );
}
