import { assert } from '@tandem/base';
import { CompactionHeap } from './compaction-heap.ts';
import { LtxEncoder } from './ltx-encoder.ts';
import { LtxError } from './ltx-error.ts';
import { isSnapshot, type LtxHeader } from './ltx-header.ts';
import type { LtxTrailer } from './ltx-trailer.ts';
import { lockPage } from './page-checksum.ts';
import type { LtxPage } from './page-sequence.ts';
import { formatTxid } from './txid.ts';

/** What came out of a compaction. */
export interface CompactedLtx {
  readonly header: LtxHeader;
  readonly trailer: LtxTrailer;
  readonly sizeBytes: number;
}

interface Queue {
  pages: readonly LtxPage[];
  at: number;
  trailer: LtxTrailer | undefined;
}

/**
 * Merges files that follow one another into one that does the same as all of them in order.
 *
 * Of each page the latest version is kept. A page that a file in between cut off, by making the
 * database shorter, does not come back when a later file makes it longer again: where no later
 * file writes it, it is zeros, as in the database itself.
 *
 * It asks for pages one source at a time (`wanted`), so that it holds one batch of each, and does
 * not care whether they come from memory, files or the network.
 */
export class LtxCompaction {
  readonly #headers: readonly LtxHeader[];
  readonly #header: LtxHeader;
  readonly #encoder: LtxEncoder;
  readonly #queues: readonly Queue[];
  readonly #heap = new CompactionHeap();
  /** Sources without a page at hand that have not ended. */
  readonly #hungry: number[];
  /** Sources by the size they leave the database with, the smallest last. */
  readonly #byCommit: { readonly source: number; readonly commit: number }[];
  readonly #zeros: Uint8Array;
  readonly #lockPage: number;
  /** The last source that left the database without the page at hand. */
  #cutBy = -1;
  /** From here on every page is written: some file cut the database off before it. */
  #fillNext: number;

  /**
   * @param headers of the files, in their order.
   * @throws LtxError `ltx_not_contiguous` when they do not follow one another or differ in page
   * size.
   */
  constructor(headers: readonly LtxHeader[], write: (chunk: Uint8Array) => void) {
    this.#headers = headers;
    this.#header = compactedHeader(headers);
    this.#encoder = new LtxEncoder(this.#header, write);
    this.#queues = headers.map(() => ({ pages: [], at: 0, trailer: undefined }));
    this.#hungry = headers.map((_, source) => source).toReversed();
    this.#byCommit = headers
      .map(({ commit }, source) => ({ source, commit }))
      .sort((a, b) => b.commit - a.commit);
    this.#zeros = new Uint8Array(this.#header.pageSize);
    this.#lockPage = lockPage(this.#header.pageSize);
    this.#fillNext = (this.#byCommit.at(-1)?.commit ?? 0) + 1;
  }

  /** The source whose next pages are needed to go on; undefined when all have ended. */
  get wanted(): number | undefined {
    return this.#hungry.at(-1);
  }

  /**
   * The next pages of the wanted source, in rising order. They must not change any more.
   *
   * @throws LtxError `ltx_bad_page` when they are not what a file can hold.
   */
  supply(pages: readonly LtxPage[]): void {
    const source = this.wanted;
    assert(source !== undefined, 'a source is wanted');
    const queue = this.#queueOf(source);
    const [first] = pages;
    if (first === undefined) return;
    this.#hungry.pop();
    queue.pages = pages;
    queue.at = 0;
    this.#heap.push({ source, pgno: first.pgno });
    this.#merge();
  }

  /** The wanted source has no more pages. */
  end(trailer: LtxTrailer): void {
    const source = this.#hungry.pop();
    assert(source !== undefined, 'a source is wanted');
    this.#queueOf(source).trailer = trailer;
    this.#merge();
  }

  /**
   * Ends the file when all sources have ended.
   *
   * @throws LtxError `ltx_not_contiguous` when the database that one file leaves is not the one
   * that the next begins with; `ltx_snapshot_incomplete`, `ltx_checksum_mismatch`.
   */
  finish(): CompactedLtx {
    assert(this.#hungry.length === 0, 'all sources have ended');
    this.#fillUpTo(this.#header.commit + 1);
    this.#checkChain();
    const last = this.#queues.at(-1)?.trailer?.postApplyChecksum ?? 0n;
    const trailer = this.#encoder.finish(this.#header.isChecksummed ? last : 0n);
    return { header: this.#header, trailer, sizeBytes: this.#encoder.sizeBytes };
  }

  /** Writes pages as long as the lowest page at hand is sure to be the lowest of all. */
  #merge(): void {
    while (this.#hungry.length === 0) {
      const first = this.#heap.peek();
      if (first === undefined) return;
      const { pgno, source } = first;
      if (pgno <= this.#header.commit) this.#writePage(pgno, source);
      while (this.#heap.peek()?.pgno === pgno) this.#advance(this.#heap.pop().source);
    }
  }

  #writePage(pgno: number, source: number): void {
    this.#fillUpTo(pgno);
    this.#passCommits(pgno);
    if (source <= this.#cutBy) return;
    const queue = this.#queueOf(source);
    this.#encoder.page(pgno, queue.pages[queue.at]?.data ?? this.#zeros);
    if (pgno >= this.#fillNext) this.#fillNext = pgno + 1;
  }

  /** Zeros for the pages before `pgno` that were cut off and that nobody wrote again. */
  #fillUpTo(pgno: number): void {
    for (; this.#fillNext < pgno; this.#fillNext += 1) {
      if (this.#fillNext !== this.#lockPage) this.#encoder.page(this.#fillNext, this.#zeros);
    }
  }

  #passCommits(pgno: number): void {
    for (;;) {
      const next = this.#byCommit.at(-1);
      if (next === undefined || next.commit >= pgno) return;
      this.#cutBy = Math.max(this.#cutBy, next.source);
      this.#byCommit.pop();
    }
  }

  #advance(source: number): void {
    const queue = this.#queueOf(source);
    const before = queue.pages[queue.at]?.pgno ?? 0;
    queue.at += 1;
    const next = queue.pages[queue.at];
    if (next === undefined) {
      this.#hungry.push(source);
      return;
    }
    if (next.pgno <= before) {
      throw new LtxError('ltx_bad_page', `Page ${next.pgno} comes after page ${before}.`);
    }
    this.#heap.push({ source, pgno: next.pgno });
  }

  #checkChain(): void {
    for (const [source, { trailer }] of this.#queues.entries()) {
      const header = this.#headers[source];
      const next = this.#headers[source + 1];
      assert(trailer !== undefined && header !== undefined, 'all sources have ended');
      if (next === undefined || !header.isChecksummed || !next.isChecksummed) continue;
      if (trailer.postApplyChecksum === next.preApplyChecksum) continue;
      throw new LtxError(
        'ltx_not_contiguous',
        `Transaction ${formatTxid(next.minTxid)} does not begin with the database that ` +
          `${formatTxid(header.maxTxid)} leaves.`,
        { hint: 'One of the files belongs to another history of the database.' },
      );
    }
  }

  #queueOf(source: number): Queue {
    const queue = this.#queues[source];
    assert(queue !== undefined, 'the source exists');
    return queue;
  }
}

function compactedHeader(headers: readonly LtxHeader[]): LtxHeader {
  const first = headers[0];
  const last = headers.at(-1);
  assert(first !== undefined && last !== undefined, 'there is a file to compact');
  let before: LtxHeader | undefined;
  for (const header of headers) {
    if (before !== undefined) checkSuccession(before, header);
    before = header;
  }
  const isChecksummed = last.isChecksummed && (isSnapshot(first) || first.isChecksummed);
  return {
    pageSize: first.pageSize,
    commit: last.commit,
    minTxid: first.minTxid,
    maxTxid: last.maxTxid,
    timestampMs: last.timestampMs,
    preApplyChecksum: isChecksummed ? first.preApplyChecksum : 0n,
    walOffsetBytes: 0,
    walSizeBytes: 0,
    walSalt1: 0,
    walSalt2: 0,
    nodeId: 0n,
    isChecksummed,
  };
}

function checkSuccession(before: LtxHeader, next: LtxHeader): void {
  if (next.minTxid !== before.maxTxid + 1) {
    throw new LtxError(
      'ltx_not_contiguous',
      `Transaction ${formatTxid(next.minTxid)} does not follow ${formatTxid(before.maxTxid)}.`,
    );
  }
  if (next.pageSize === before.pageSize) return;
  throw new LtxError(
    'ltx_not_contiguous',
    `From transaction ${formatTxid(next.minTxid)} on, pages have ${next.pageSize} bytes instead ` +
      `of ${before.pageSize}.`,
    { hint: 'Begin anew with a snapshot after the page size has changed.' },
  );
}
