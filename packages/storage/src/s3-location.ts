/** Where the objects of a store are, in a server that speaks the protocol of Amazon S3. */
export interface S3Location {
  /** The server, with scheme and without a path. */
  readonly endpoint: URL;
  readonly bucket: string;
  /** Put before each key with a slash, unless empty. */
  readonly prefix: string;
  readonly region: string;
  /**
   * `https://server/bucket/key` instead of `https://bucket.server/key`. Most self-hosted servers
   * need it: the second form asks for a wildcard in DNS and in the certificate.
   */
  readonly isPathStyle: boolean;
}

/** The key of a server for a key of a store. */
export function serverKey(location: S3Location, key: string): string {
  return location.prefix === '' ? key : `${location.prefix}/${key}`;
}

/** The address of the bucket, or of an object of the store, with a query in the order given. */
export function s3Url(
  location: S3Location,
  key: string | undefined,
  query: Readonly<Record<string, string>> = {},
): string {
  const { endpoint, bucket, isPathStyle } = location;
  const host = isPathStyle ? endpoint.host : `${bucket}.${endpoint.host}`;
  const bucketPath = isPathStyle ? `/${bucket}` : '';
  const keyPath = key === undefined ? '' : `/${encodePath(serverKey(location, key))}`;
  const pairs = Object.entries(query).map(([name, value]) => `${encode(name)}=${encode(value)}`);
  const search = pairs.length === 0 ? '' : `?${pairs.join('&')}`;
  return `${endpoint.protocol}//${host}${bucketPath}${keyPath === '' && bucketPath === '' ? '/' : keyPath}${search}`;
}

function encodePath(path: string): string {
  return path.split('/').map(encode).join('/');
}

/** As the signature wants it: everything but letters, digits, `-`, `.`, `_` and `~`. */
function encode(text: string): string {
  return encodeURIComponent(text).replaceAll(
    /[!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}
