import { setImmediate } from 'node:timers/promises';
import type { RepairView } from '@tandem/replication';
import type { DatabaseCopy } from '../http/node-api.ts';

/** Pages are given in pieces of about this size; others have their turn between two. */
const PIECE_BYTES = 1 << 20;

/** A view of a database as the bytes of its file. */
export function copyOf(view: RepairView): DatabaseCopy {
  return {
    position: view.position,
    sizeBytes: view.pageCount * view.pageSize,
    chunks: pieces(view),
    close: () => view.close(),
  };
}

async function* pieces(view: RepairView): AsyncGenerator<Uint8Array> {
  const pagesPerPiece = Math.max(1, Math.floor(PIECE_BYTES / view.pageSize));
  for (let first = 1; first <= view.pageCount; first += pagesPerPiece) {
    const count = Math.min(pagesPerPiece, view.pageCount - first + 1);
    const piece = Buffer.allocUnsafeSlow(count * view.pageSize);
    for (let index = 0; index < count; index += 1) {
      view.readPage(first + index, piece.subarray(index * view.pageSize));
    }
    yield piece;
    await setImmediate();
  }
}
