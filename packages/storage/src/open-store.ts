import { type Clock, systemClock } from '@tandem/base';
import { FolderStore } from './folder-store.ts';
import type { ObjectStore } from './object-store.ts';
import { DEFAULT_RETRY_POLICY, type RetryPolicy, type Sleep, systemSleep } from './retry.ts';
import { type CredentialSource, S3Client, type S3Credentials } from './s3-client.ts';
import { S3Store } from './s3-store.ts';
import { StorageError } from './storage-error.ts';
import { parseStoreUrl } from './store-url.ts';

export interface StoreOptions {
  /**
   * Environment variables, read only for what neither the address nor `credentials` gives:
   * `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY`, `AWS_SESSION_TOKEN`, `AWS_REGION`,
   * `AWS_DEFAULT_REGION`, `AWS_ENDPOINT_URL_S3`, `AWS_ENDPOINT_URL`, and Litestream's
   * `LITESTREAM_ACCESS_KEY_ID` and `LITESTREAM_SECRET_ACCESS_KEY`.
   */
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly credentials?: S3Credentials | CredentialSource;
  /** Calls off what is under way, with `storage_stopped`. A folder's operations end by themselves. */
  readonly signal?: AbortSignal;
  readonly clock?: Clock;
  readonly sleep?: Sleep;
  readonly random?: () => number;
  readonly retryPolicy?: RetryPolicy;
  /** How long nothing may move on a connection; 30 s. */
  readonly idleTimeoutMs?: number;
  /** Larger bodies are uploaded in parts of this size, each held in memory; 16 MiB, at least 5. */
  readonly partBytes?: number;
}

const MEBIBYTE = 1024 * 1024;
const DEFAULT_PART_BYTES = 16 * MEBIBYTE;
const PART_BYTES_MIN = 5 * MEBIBYTE;
const DEFAULT_IDLE_TIMEOUT_MS = 30_000;

/**
 * The store at an address; nothing is contacted before the first call, `check` being a good one.
 *
 * @param url `/path`, `file:///path`, or
 * `s3://bucket/prefix?endpoint=https://server&region=us-east-1&force-path-style=true`.
 * @throws StorageError `storage_url_invalid`, or `storage_denied` without credentials.
 */
export function openStore(url: string, options: StoreOptions = {}): ObjectStore {
  const env = options.env ?? {};
  const clock = options.clock ?? systemClock;
  const address = parseStoreUrl(url, {
    endpoint: filled(env['AWS_ENDPOINT_URL_S3']) ?? filled(env['AWS_ENDPOINT_URL']),
    region: filled(env['AWS_REGION']) ?? filled(env['AWS_DEFAULT_REGION']),
  });
  if (address.kind === 'folder') return new FolderStore(address.path, clock);
  const partBytes = options.partBytes ?? DEFAULT_PART_BYTES;
  if (partBytes < PART_BYTES_MIN)
    throw new StorageError('storage_url_invalid', `Parts of ${partBytes} bytes are too small`, {
      hint: 'Servers refuse parts of less than 5 MiB.',
    });
  const client = new S3Client({
    location: address.location,
    storeUrl: address.url,
    credentials: credentialSource(options, env),
    clock,
    idleTimeoutMs: options.idleTimeoutMs ?? DEFAULT_IDLE_TIMEOUT_MS,
    retrying: {
      policy: options.retryPolicy ?? DEFAULT_RETRY_POLICY,
      sleep: options.sleep ?? systemSleep,
      random: options.random ?? Math.random,
      signal: options.signal ?? new AbortController().signal,
    },
  });
  return new S3Store({ client, location: address.location, url: address.url, partBytes });
}

function credentialSource(
  { credentials }: StoreOptions,
  env: Readonly<Record<string, string | undefined>>,
): CredentialSource {
  if (typeof credentials === 'function') return credentials;
  const found = credentials ?? credentialsFrom(env);
  if (found === undefined)
    throw new StorageError('storage_denied', 'There are no keys for the S3 store', {
      hint: 'Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY.',
    });
  return async () => found;
}

function credentialsFrom(
  env: Readonly<Record<string, string | undefined>>,
): S3Credentials | undefined {
  const accessKeyId = filled(env['AWS_ACCESS_KEY_ID']) ?? filled(env['LITESTREAM_ACCESS_KEY_ID']);
  const secretAccessKey =
    filled(env['AWS_SECRET_ACCESS_KEY']) ?? filled(env['LITESTREAM_SECRET_ACCESS_KEY']);
  if (accessKeyId === undefined || secretAccessKey === undefined) return undefined;
  const sessionToken = filled(env['AWS_SESSION_TOKEN']);
  return { accessKeyId, secretAccessKey, ...(sessionToken === undefined ? {} : { sessionToken }) };
}

/** An empty variable is an unset one; a line end from a mounted secret is not part of a key. */
function filled(text: string | undefined): string | undefined {
  const trimmed = text?.trim();
  return trimmed === '' ? undefined : trimmed;
}
