import type { HttpAnswer } from './http-exchange.ts';
import type { S3Client, S3Operation } from './s3-client.ts';
import { StorageError } from './storage-error.ts';

/** A connection that broke so often without a byte in between will not do better. */
const FRUITLESS_MAX = 5;

/**
 * The bytes of an object as they arrive. A connection that breaks is taken up again where it broke,
 * if the object is still the same by its ETag.
 *
 * @throws StorageError `storage_not_found`, `storage_changed`, and those of any request.
 */
export async function* streamObject(client: S3Client, key: string): AsyncGenerator<Uint8Array> {
  const action = `read ${key}`;
  const operation: S3Operation = { action, method: 'GET', key };
  const first = await client.open(operation);
  const { etag } = first.headers;
  const sizeBytes = Number(first.headers['content-length'] ?? Number.NaN);
  let answer = first;
  let offset = 0;
  for (let fruitless = 0; fruitless < FRUITLESS_MAX; fruitless += 1) {
    let failure: unknown = new Error('the body ended early');
    try {
      for await (const chunk of answer.body) {
        offset += chunk.length;
        fruitless = 0;
        yield chunk;
      }
      if (Number.isNaN(sizeBytes) || offset === sizeBytes) return;
    } catch (error) {
      failure = error;
    }
    if (etag === undefined || Number.isNaN(sizeBytes)) throw client.failure(failure, operation);
    const headers = { range: `bytes=${offset}-` };
    answer = await client.open({ ...operation, headers, alsoExpected: [206, 416] });
    refuseOther(answer, etag, key);
  }
  throw client.failure(new Error(`the body breaks off after ${offset} bytes`), operation);
}

function refuseOther(answer: HttpAnswer, etag: string, key: string): void {
  if (answer.status === 206 && answer.headers.etag === etag) return;
  throw new StorageError(
    'storage_changed',
    `${key} was replaced while it was being read, or the server cannot take up a transfer again`,
    { hint: 'Read it again from the beginning.', retryable: true },
  );
}
