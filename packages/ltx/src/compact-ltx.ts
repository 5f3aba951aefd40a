import { assert } from '@tandem/base';
import { LtxCompaction, type CompactedLtx } from './ltx-compaction.ts';
import type { LtxHeader } from './ltx-header.ts';
import type { LtxTrailer } from './ltx-trailer.ts';
import type { LtxPage } from './page-sequence.ts';

/** A file to compact. What `decodeLtx` returns is one. */
export interface CompactionSource {
  readonly header: LtxHeader;
  /** In rising order; gone through once. */
  readonly pages: Iterable<LtxPage>;
  /** The trailer; a function is called after the last page. */
  readonly trailer: LtxTrailer | (() => LtxTrailer);
}

/** A file to compact whose pages come in batches, as `LtxDecoder.push` returns them. */
export interface CompactionStream {
  readonly header: LtxHeader;
  readonly batches: AsyncIterable<readonly LtxPage[]>;
  /** Called after the last batch. */
  readonly trailer: () => LtxTrailer;
}

/**
 * Merges files that follow one another, given in their order, into one that does the same. It
 * holds one page of each source beside what the sources hold themselves.
 *
 * @throws LtxError as `LtxCompaction` does. What was written until then is worthless.
 */
export function compactLtx(
  sources: readonly CompactionSource[],
  write: (chunk: Uint8Array) => void,
): CompactedLtx {
  const headers = sources.map(({ header }) => header);
  const compaction = new LtxCompaction(headers, write);
  using stack = new DisposableStack();
  const iterators = sources.map(({ pages }) => {
    const iterator = pages[Symbol.iterator]();
    stack.defer(() => void iterator.return?.());
    return iterator;
  });
  for (let at = compaction.wanted; at !== undefined; at = compaction.wanted) {
    const step = iterators[at]?.next();
    const source = sources[at];
    assert(step !== undefined && source !== undefined, 'the wanted source exists');
    if (step.done === true) {
      compaction.end(typeof source.trailer === 'function' ? source.trailer() : source.trailer);
    } else {
      compaction.supply([step.value]);
    }
  }
  return compaction.finish();
}

/**
 * As `compactLtx`, for sources that are read while they are merged. `write` is waited for before
 * more is read.
 *
 * @throws LtxError as `LtxCompaction` does, and whatever reading or writing throws.
 */
export async function compactLtxStreams(
  sources: readonly CompactionStream[],
  write: (chunk: Uint8Array) => Promise<void>,
): Promise<CompactedLtx> {
  const chunks: Uint8Array[] = [];
  const headers = sources.map(({ header }) => header);
  const compaction = new LtxCompaction(headers, (chunk) => chunks.push(chunk));
  await using stack = new AsyncDisposableStack();
  const iterators = sources.map(({ batches }) => {
    const iterator = batches[Symbol.asyncIterator]();
    stack.defer(async () => {
      await iterator.return?.();
    });
    return iterator;
  });
  for (let at = compaction.wanted; at !== undefined; at = compaction.wanted) {
    const step = await iterators[at]?.next();
    const source = sources[at];
    assert(step !== undefined && source !== undefined, 'the wanted source exists');
    if (step.done === true) compaction.end(source.trailer());
    else compaction.supply(step.value);
    for (const chunk of chunks.splice(0)) await write(chunk);
  }
  const compacted = compaction.finish();
  for (const chunk of chunks.splice(0)) await write(chunk);
  return compacted;
}
