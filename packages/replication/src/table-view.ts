import { lockPage } from '@tandem/sqlite-format';
import type { ConsistentView } from './consistent-view.ts';
import type { EpochHistory, Position } from './epoch-history.ts';
import { DIGEST_BYTES, DIGEST_WORDS, GROUP_PAGES, pageDigest } from './page-digest.ts';
import type { RepairView } from './stream-source.ts';

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
    const page = new Uint8Array(this.pageSize);
    for (let index = 0; index < count; index += 1) {
      if (first + index === lockPage(this.pageSize)) continue;
      this.#view.readPage(first + index, page);
      pageDigest(first + index, page, words);
      for (const [word, value] of words.entries()) {
        digests.setUint32(index * DIGEST_BYTES + word * 4, value);
      }
    }
    return new Uint8Array(digests.buffer);
  }

  readPage(pgno: number, into: Uint8Array): void {
    this.#view.readPage(pgno, into);
  }

  close(): void {
    this.#view.close();
  }
}
