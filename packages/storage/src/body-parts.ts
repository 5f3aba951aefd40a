import type { ObjectBody } from './object-store.ts';
import { StorageError } from './storage-error.ts';

/** How many bytes a body will have. */
export function bodySizeBytes(body: ObjectBody): number {
  return body instanceof Uint8Array ? body.length : body.sizeBytes;
}

/**
 * The chunks of a body as they come.
 *
 * @throws StorageError `storage_size_mismatch` at the first byte too many, or at an early end.
 */
export async function* exactChunks(body: ObjectBody): AsyncGenerator<Uint8Array> {
  if (body instanceof Uint8Array) {
    yield body;
    return;
  }
  let countBytes = 0;
  for await (const chunk of body.chunks) {
    countBytes += chunk.length;
    if (countBytes > body.sizeBytes) throw mismatch(body.sizeBytes, `at least ${countBytes}`);
    yield chunk;
  }
  if (countBytes < body.sizeBytes) throw mismatch(body.sizeBytes, `${countBytes}`);
}

/**
 * A body in parts of exactly `partBytes`, the last one shorter; one empty part for an empty body.
 * Each is whole in memory, so that it can be signed, and sent again after a failure. A part may be
 * overwritten once the next one is asked for.
 *
 * @throws StorageError `storage_size_mismatch`
 */
export async function* partsOf(body: ObjectBody, partBytes: number): AsyncGenerator<Uint8Array> {
  const sizeBytes = bodySizeBytes(body);
  const part = new Uint8Array(Math.min(partBytes, sizeBytes));
  let filledBytes = 0;
  for await (const chunk of exactChunks(body)) {
    for (let offset = 0; offset < chunk.length;) {
      const piece = chunk.subarray(offset, offset + part.length - filledBytes);
      part.set(piece, filledBytes);
      filledBytes += piece.length;
      offset += piece.length;
      if (filledBytes < part.length) continue;
      yield part;
      filledBytes = 0;
    }
  }
  if (filledBytes > 0 || sizeBytes === 0) yield part.subarray(0, filledBytes);
}

function mismatch(sizeBytes: number, found: string): StorageError {
  return new StorageError(
    'storage_size_mismatch',
    `A body said to have ${sizeBytes} bytes had ${found}; nothing was stored`,
  );
}
