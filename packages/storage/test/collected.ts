import { StorageError } from '@tandem/storage';

/** All that an iterable gives. */
export async function collected<Item>(items: AsyncIterable<Item>): Promise<Item[]> {
  const all: Item[] = [];
  for await (const item of items) all.push(item);
  return all;
}

/** The bytes of a stream as one. */
export async function bytesOf(chunks: AsyncIterable<Uint8Array>): Promise<Buffer> {
  return Buffer.concat(await collected(chunks));
}

/** The chunks as a body that is made while it is sent. */
export async function* streamed(chunks: readonly Uint8Array[]): AsyncGenerator<Uint8Array> {
  yield* chunks;
}

/** The StorageError that a promise fails with; it must fail with one. */
export async function failureOf(promise: Promise<unknown>): Promise<StorageError> {
  const outcome = await promise.then(
    () => undefined,
    (error: unknown) => error,
  );
  if (outcome instanceof StorageError) return outcome;
  throw new Error('it did not fail with a StorageError', { cause: outcome });
}
