import { randomUUID } from 'node:crypto';
import type { ObjectStore } from './object-store.ts';
import { StorageError } from './storage-error.ts';

/**
 * Does once each thing that a backup needs, with an object of its own that is removed again.
 *
 * @throws StorageError what failed, with what to do about it.
 */
export async function checkStore(store: ObjectStore): Promise<void> {
  const key = `tandem-check-${randomUUID()}`;
  const body = Buffer.from(key);
  await store.list(key)[Symbol.asyncIterator]().next();
  await store.put(key, body);
  const readBack = await store.get(key);
  await store.delete(key);
  if (body.equals(readBack)) return;
  throw new StorageError('storage_response_invalid', `${store.url} gave back other bytes`, {
    hint: 'Something between here and the store changes or caches what is sent; name the store itself.',
  });
}
