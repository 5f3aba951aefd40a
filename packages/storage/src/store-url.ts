import { fileURLToPath } from 'node:url';
import { KEY_BYTES_MAX, checkKey } from './object-key.ts';
import type { S3Location } from './s3-location.ts';
import { StorageError } from './storage-error.ts';

/** What an address of a store means. */
export type StoreAddress =
  | { readonly kind: 'folder'; readonly path: string }
  | { readonly kind: 's3'; readonly location: S3Location; readonly url: string };

/** What may stand outside the address; the address wins. */
export interface AddressDefaults {
  readonly endpoint?: string | undefined;
  readonly region?: string | undefined;
}

const EXAMPLE =
  'Write a path such as /backup, or s3://bucket/folder?endpoint=https://s3.example.com&region=us-east-1.';
const BUCKET_NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{1,62}$/;
/** What the server's 1,024 bytes for a key leave beside a key of ours and a slash. */
const PREFIX_BYTES_MAX = 1024 - KEY_BYTES_MAX - 1;
/** Litestream's spelling and ours. */
const PATH_STYLE_NAMES = ['force-path-style', 'forcePathStyle'] as const;
const QUERY_NAMES = new Set(['endpoint', 'region', ...PATH_STYLE_NAMES]);

/**
 * Reads `/path`, `./path`, `file:///path` or `s3://bucket/prefix?endpoint=…&region=…&force-path-style=…`.
 *
 * @throws StorageError `storage_url_invalid`; the message repeats no user name or password.
 */
export function parseStoreUrl(text: string, defaults: AddressDefaults = {}): StoreAddress {
  if (text.trim() === '') throw invalid('The address of the store is empty', EXAMPLE);
  if (!/^[A-Za-z][A-Za-z0-9+.-]*:/.test(text)) return { kind: 'folder', path: text };
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined) throw invalid('The address of the store is not a URL', EXAMPLE);
  if (url.protocol === 'file:') return { kind: 'folder', path: pathOf(url) };
  if (url.protocol === 's3:') return s3Address(url, defaults);
  throw invalid(`The address of the store begins with ${url.protocol}`, EXAMPLE);
}

function pathOf(url: URL): string {
  try {
    return fileURLToPath(url);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw invalid(`The address of the store is no path: ${why}`, 'Write file:///path or /path.');
  }
}

function s3Address(url: URL, defaults: AddressDefaults): StoreAddress {
  refuseOddities(url);
  const bucket = url.hostname;
  const prefix = decodedPath(url).replaceAll(/^\/+|\/+$/g, '');
  if (!BUCKET_NAME.test(bucket))
    throw invalid(`'${bucket}' cannot be the name of a bucket`, EXAMPLE);
  if (prefix !== '') checkKey(prefix);
  if (Buffer.byteLength(prefix) > PREFIX_BYTES_MAX)
    throw invalid(`The folder in the bucket has more than ${PREFIX_BYTES_MAX} bytes`, EXAMPLE);
  const endpointText = url.searchParams.get('endpoint') ?? defaults.endpoint;
  const endpoint = endpointText === undefined ? undefined : parseEndpoint(endpointText);
  const region = url.searchParams.get('region') ?? defaults.region ?? usualRegion(endpoint);
  const location: S3Location = {
    endpoint: endpoint ?? amazonEndpoint(region),
    bucket,
    prefix,
    region,
    isPathStyle: pathStyleOf(url) ?? isPathStyleUsual(endpoint, bucket),
  };
  return {
    kind: 's3',
    location,
    url: prefix === '' ? `s3://${bucket}` : `s3://${bucket}/${prefix}`,
  };
}

function decodedPath(url: URL): string {
  try {
    return decodeURIComponent(url.pathname);
  } catch {
    throw invalid('The address of the store has a percent sign that stands for nothing', EXAMPLE);
  }
}

function refuseOddities(url: URL): void {
  if (url.username !== '' || url.password !== '')
    throw invalid(
      'The address of the store holds a user name or a password',
      'Give the keys by AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY: addresses end up in logs.',
    );
  if (url.port !== '')
    throw invalid(
      `The address of the store has the port ${url.port}`,
      'After s3:// comes the bucket; the server goes into the endpoint.',
    );
  for (const name of url.searchParams.keys())
    if (!QUERY_NAMES.has(name))
      throw invalid(
        `The address of the store has the unknown setting '${name}'`,
        `Known are ${[...QUERY_NAMES].join(', ')}.`,
      );
}

function parseEndpoint(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const isHttp = url?.protocol === 'http:' || url?.protocol === 'https:';
  const isBare = url?.pathname === '/' && url.search === '' && url.username === '';
  if (url !== undefined && isHttp && isBare) return url;
  throw invalid(
    'The endpoint of the store is not a server',
    'Write it as https://s3.example.com or http://minio:9000, without a path, a user name or a password.',
  );
}

function pathStyleOf(url: URL): boolean | undefined {
  for (const name of PATH_STYLE_NAMES) {
    const text = url.searchParams.get(name);
    if (text === null) continue;
    if (text === 'true' || text === 'false') return text === 'true';
    throw invalid(`'${name}' is '${text}'`, 'Write true or false.');
  }
  return undefined;
}

/** R2 knows one region only; most others take any, and us-east-1 is what they expect. */
function usualRegion(endpoint: URL | undefined): string {
  return endpoint?.hostname.endsWith('.r2.cloudflarestorage.com') === true ? 'auto' : 'us-east-1';
}

function amazonEndpoint(region: string): URL {
  if (!/^[a-z0-9-]+$/.test(region)) throw invalid(`'${region}' cannot be a region`, EXAMPLE);
  const domain = region.startsWith('cn-') ? 'amazonaws.com.cn' : 'amazonaws.com';
  return new URL(`https://s3.${region}.${domain}`);
}

/** A bucket with dots does not fit the wildcard of a certificate; other servers rarely have one. */
function isPathStyleUsual(endpoint: URL | undefined, bucket: string): boolean {
  return endpoint !== undefined || bucket.includes('.');
}

function invalid(message: string, hint: string): StorageError {
  return new StorageError('storage_url_invalid', message, { hint });
}
