import { compareKeys } from './object-key.ts';
import type { StoredObject } from './object-store.ts';
import type { S3Client } from './s3-client.ts';
import { type S3Location, serverKey } from './s3-location.ts';
import { parseListPage } from './s3-xml.ts';
import { StorageError } from './storage-error.ts';

const PAGE_OBJECTS = '1000';

export interface BucketListing {
  readonly prefix: string;
  readonly after: string | undefined;
}

/** Where the next page begins: where the server says, or else after the last key. */
type Mark = Readonly<Record<'continuation-token' | 'start-after', string | undefined>>;

/**
 * The objects of a store by key, page by page (`ListObjectsV2`).
 *
 * Within a page the order is made here, since small servers go by folders. Across pages it is the
 * server's; one that comes back to what it has listed, or sends the same page for ever, is refused.
 *
 * @throws StorageError
 */
export async function* listBucket(
  client: S3Client,
  location: S3Location,
  { prefix, after }: BucketListing,
): AsyncGenerator<StoredObject> {
  const root = serverKey(location, '');
  let lastKey: string | undefined;
  let mark: Mark = {
    'start-after': after === undefined ? undefined : serverKey(location, after),
    'continuation-token': undefined,
  };
  for (;;) {
    const query = {
      'list-type': '2',
      'max-keys': PAGE_OBJECTS,
      ...(root + prefix === '' ? {} : { prefix: root + prefix }),
      ...definedOf(mark),
    };
    const action = prefix === '' ? 'list the bucket' : `list ${prefix}`;
    const answer = await client.send({ action, method: 'GET', query });
    const page = parseListPage(answer.body.toString());
    const objects = page.objects
      .filter((object) => object.key.startsWith(root + prefix))
      .sort((left, right) => compareKeys(left.key, right.key));
    const firstKey = objects[0]?.key;
    if (lastKey !== undefined && firstKey !== undefined && compareKeys(firstKey, lastKey) <= 0)
      throw outOfOrder(firstKey, lastKey);
    for (const object of objects) yield { ...object, key: object.key.slice(root.length) };
    lastKey = objects.at(-1)?.key ?? lastKey;
    if (!page.isTruncated) return;
    mark = nextMark(mark, page.nextToken, lastKey);
  }
}

/** Older Ceph says that there is more without saying where. */
function nextMark(mark: Mark, token: string | undefined, lastKey: string | undefined): Mark {
  const next: Mark =
    token === undefined
      ? { 'start-after': lastKey, 'continuation-token': undefined }
      : { 'start-after': undefined, 'continuation-token': token };
  const isSame =
    next['start-after'] === mark['start-after'] &&
    next['continuation-token'] === mark['continuation-token'];
  if (isSame || (token === undefined && lastKey === undefined))
    throw new StorageError('storage_response_invalid', 'The server lists the same page for ever', {
      hint: 'Update the server, or use another.',
    });
  return next;
}

function definedOf(mark: Mark): Record<string, string> {
  return Object.fromEntries(
    Object.entries(mark).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
  );
}

function outOfOrder(firstKey: string, lastKey: string): StorageError {
  return new StorageError(
    'storage_response_invalid',
    `The server lists ${firstKey} on a page after ${lastKey}`,
    {
      hint: 'Its listings are not in the order of keys, as those of directory buckets; use another bucket.',
    },
  );
}
