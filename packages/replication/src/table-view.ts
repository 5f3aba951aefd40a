import { lockPage } from '@tandem/sqlite-format';
import type { ConsistentView } from './consistent-view.ts';
import type { EpochHistory, Position } from './epoch-history.ts';
import { DIGEST_BYTES, DIGEST_WORDS, GROUP_PAGES, pageDigest } from './page-digest.ts';
import type { RepairView } from './stream-source.ts';

/** Pages that are read at once. */
const READ_PAGES = 64;

/** What the digests of a database said at the moment of the view. */
export interface ViewFacts {
  readonly position: Position;
  readonly history: EpochHistory;
  readonly digest: string;
  readonly groupDigests: Uint8Array;
}

/** A consistent view with the digests of its moment; those of pages are made from the pages. */
export class TableView implements RepairView {
  readonly position: Position;
  readonly history: EpochHistory;
  readonly digest: string;
  readonly pageSize: number;
  readonly pageCount: number;
  readonly #view: ConsistentView;
  readonly #groupDigests: Uint8Array;

  constructor(view: ConsistentView, facts: ViewFacts) {
    this.position = facts.position;
    this.history = facts.history;
    this.digest = facts.digest;
    this.pageSize = view.pageSize;
    this.pageCount = view.pageCount;
    this.#view = view;
    this.#groupDigests = facts.groupDigests;
  }

  groupDigests(): Uint8Array {
    return this.#groupDigests;
  }

  pageDigests(group: number): Uint8Array {
    const first = group * GROUP_PAGES + 1;
    const count = Math.max(0, Math.min(GROUP_PAGES, this.pageCount - first + 1));
    const digests = new DataView(new ArrayBuffer(count * DIGEST_BYTES));
    const words = new Uint32Array(DIGEST_WORDS);
    const pages = new Uint8Array(Math.min(count, READ_PAGES) * this.pageSize);
    for (let index = 0; index < count; index += 1) {
      const inRun = index % READ_PAGES;
      const ahead = Math.min(READ_PAGES, count - index) * this.pageSize;
      if (inRun === 0) this.#view.readPages(first + index, pages.subarray(0, ahead));
      if (first + index === lockPage(this.pageSize)) continue;
      const page = pages.subarray(inRun * this.pageSize, (inRun + 1) * this.pageSize);
      pageDigest(first + index, page, words);
      for (let word = 0; word < DIGEST_WORDS; word += 1) {
        digests.setUint32(index * DIGEST_BYTES + word * 4, words[word] ?? 0);
      }
    }
    return new Uint8Array(digests.buffer);
  }

  readPage(pgno: number, into: Uint8Array): void {
    this.#view.readPage(pgno, into);
  }

  readPages(pgno: number, into: Uint8Array): void {
    this.#view.readPages(pgno, into);
  }

  close(): void {
    this.#view.close();
  }
}
