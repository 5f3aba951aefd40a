import { createHash } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import type { Clock } from '@tandem/base';
import { AwsV4Signer } from 'aws4fetch';
import { type HttpAnswer, type HttpRequest, HttpExchange, readBody } from './http-exchange.ts';
import { RetryLater, type Retrying, retry } from './retry.ts';
import { type S3Context, connectionFailure, refusal } from './s3-failure.ts';
import { type S3Location, s3Url } from './s3-location.ts';
import { StorageError } from './storage-error.ts';

export interface S3Credentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  /** For credentials that end, such as those of a role. */
  readonly sessionToken?: string;
}

/** Asked before every request; whoever gives out credentials that end keeps and renews them. */
export type CredentialSource = () => Promise<S3Credentials>;

export interface S3Operation {
  /** For messages, as in 'Could not write db/0000/…'. */
  readonly action: string;
  readonly method: 'GET' | 'HEAD' | 'PUT' | 'POST' | 'DELETE';
  /** Of the store; left out for what concerns the bucket. */
  readonly key?: string;
  readonly query?: Readonly<Record<string, string>>;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array;
  /** What else than 200 is an answer and not a failure. */
  readonly alsoExpected?: readonly number[];
}

export interface S3Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
  /** More than 1 when earlier attempts failed, whose effect may have come about all the same. */
  readonly attemptNumber: number;
}

export interface S3ClientOptions {
  readonly location: S3Location;
  readonly storeUrl: string;
  readonly credentials: CredentialSource;
  readonly clock: Clock;
  readonly retrying: Retrying;
  readonly idleTimeoutMs: number;
}

/** Error documents are small, a page of a listing has some 300 KiB. */
const DOCUMENT_BYTES_MAX = 16 * 1024 * 1024;

/** Signed requests to one bucket, repeated while that can help. */
export class S3Client {
  readonly #options: S3ClientOptions;
  readonly #http = new HttpExchange();
  readonly #signingKeys = new Map<string, ArrayBuffer>();

  constructor(options: S3ClientOptions) {
    this.#options = options;
  }

  /**
   * Sends a request until its whole answer is there.
   *
   * @throws StorageError
   */
  async send(operation: S3Operation, bodyBytesMax = DOCUMENT_BYTES_MAX): Promise<S3Answer> {
    return this.#retry(operation, async (answer, attemptNumber) => {
      const body = await readBody(answer, bodyBytesMax);
      const { status, headers } = answer;
      return { status, headers, body, attemptNumber };
    });
  }

  /** As `send`, but leaves the body to the caller, who has to read it to its end. */
  async open(operation: S3Operation): Promise<HttpAnswer> {
    return this.#retry(operation, async (answer) => answer);
  }

  /** What is said of a body that broke off. */
  failure(error: unknown, operation: S3Operation): StorageError {
    const outcome = connectionFailure(error, this.#context(operation));
    return outcome instanceof RetryLater ? outcome.error : outcome;
  }

  async #retry<Value>(
    operation: S3Operation,
    take: (answer: HttpAnswer, attemptNumber: number) => Promise<Value>,
  ): Promise<Value> {
    const { retrying } = this.#options;
    return retry(retrying, async (attemptNumber) => {
      try {
        const answer = await this.#exchange(operation);
        const isExpected =
          answer.status === 200 || operation.alsoExpected?.includes(answer.status) === true;
        if (isExpected) return await take(answer, attemptNumber);
        const body = (await readBody(answer, DOCUMENT_BYTES_MAX)).toString();
        return thrown(refusal({ ...answer, body }, this.#context(operation)));
      } catch (error) {
        if (error instanceof StorageError) throw error;
        return thrown(connectionFailure(error, this.#context(operation)));
      }
    });
  }

  async #exchange(operation: S3Operation): Promise<HttpAnswer> {
    const { retrying, idleTimeoutMs } = this.#options;
    const request = await this.#sign(operation);
    return this.#http.send(request, { idleTimeoutMs, signal: retrying.signal });
  }

  /**
   * Every body is signed, none is sent as `UNSIGNED-PAYLOAD` or in signed chunks: R2, Backblaze and older
   * MinIO and Ceph know only some of those forms, and over plain HTTP the hash is what notices a
   * changed byte. `Content-MD5` besides, because buckets with object lock insist on it.
   */
  async #sign(operation: S3Operation): Promise<HttpRequest> {
    const { location, clock } = this.#options;
    const { method, key, query, body } = operation;
    const headers: Record<string, string> = {
      ...operation.headers,
      'x-amz-content-sha256': createHash('sha256')
        .update(body ?? '')
        .digest('hex'),
    };
    if (body !== undefined)
      headers['content-md5'] = createHash('md5').update(body).digest('base64');
    const url = s3Url(location, key, query);
    const { accessKeyId, secretAccessKey, sessionToken } = await this.#credentials();
    const signed = await new AwsV4Signer({
      url,
      method,
      headers,
      accessKeyId,
      secretAccessKey,
      ...(sessionToken === undefined ? {} : { sessionToken }),
      service: 's3',
      region: location.region,
      datetime: new Date(clock.nowMs()).toISOString().replaceAll(/[:-]|\.\d{3}/g, ''),
      cache: this.#signingKeys,
    }).sign();
    const length = body === undefined ? {} : { 'content-length': String(body.length) };
    return { method, url, headers: { ...Object.fromEntries(signed.headers), ...length }, body };
  }

  async #credentials(): Promise<S3Credentials> {
    try {
      return await this.#options.credentials();
    } catch (cause) {
      const why = cause instanceof Error ? cause.message : String(cause);
      throw new StorageError(
        'storage_denied',
        `No credentials for ${this.#options.storeUrl}: ${why}`,
        {
          cause,
          hint: 'Check where the program gets its credentials from.',
          retryable: true,
        },
      );
    }
  }

  #context({ action }: S3Operation): S3Context {
    const { storeUrl, location, clock } = this.#options;
    return { storeUrl, action, region: location.region, nowMs: clock.nowMs() };
  }
}

function thrown(outcome: StorageError | RetryLater): RetryLater {
  if (outcome instanceof RetryLater) return outcome;
  throw outcome;
}
