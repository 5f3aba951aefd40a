import { LtxError } from './ltx-error.ts';
import { isSnapshot, type LtxHeader } from './ltx-header.ts';
import { lockPage } from './page-checksum.ts';

/** One page of a database, whole and uncompressed. */
export interface LtxPage {
  /** Its number; the first page of a database is 1. */
  readonly pgno: number;
  readonly data: Uint8Array;
}

/**
 * The rules about which pages a file holds, for the encoder and the decoder alike: numbers rise,
 * none is above the database's size, none is the lock page, and a snapshot lacks none.
 */
export class PageSequence {
  readonly #pageSize: number;
  readonly #commit: number;
  readonly #lockPage: number;
  readonly #isSnapshot: boolean;
  #last = 0;

  constructor(header: LtxHeader) {
    this.#pageSize = header.pageSize;
    this.#commit = header.commit;
    this.#lockPage = lockPage(header.pageSize);
    this.#isSnapshot = isSnapshot(header);
  }

  /**
   * Takes the number of the next page.
   *
   * @throws LtxError `ltx_bad_page`, `ltx_snapshot_incomplete`.
   */
  accept(pgno: number): void {
    const last = this.#last;
    if (!Number.isInteger(pgno) || pgno < 1) fail(`${pgno} is not the number of a page.`);
    if (pgno === this.#lockPage) fail(`Page ${pgno} is the lock page, which is never stored.`);
    if (pgno > this.#commit) {
      fail(`Page ${pgno} is beyond the end of the database of ${this.#commit} pages.`);
    }
    if (pgno <= last) fail(`Page ${pgno} comes after page ${last}; page numbers must rise.`);
    if (this.#isSnapshot && pgno !== this.#following(last)) this.#failIncomplete(last);
    this.#last = pgno;
  }

  /**
   * Takes the size of a page.
   *
   * @throws LtxError `ltx_bad_page`.
   */
  acceptSize(pgno: number, bytes: number): void {
    if (bytes === this.#pageSize) return;
    fail(`Page ${pgno} has ${bytes} bytes in a database with pages of ${this.#pageSize} bytes.`);
  }

  /**
   * No more pages will come.
   *
   * @throws LtxError `ltx_snapshot_incomplete`.
   */
  end(): void {
    if (!this.#isSnapshot || this.#commit === 0) return;
    if (this.#following(this.#last) <= this.#commit) this.#failIncomplete(this.#last);
  }

  #following(pgno: number): number {
    return pgno + 1 === this.#lockPage ? pgno + 2 : pgno + 1;
  }

  #failIncomplete(last: number): never {
    throw new LtxError(
      'ltx_snapshot_incomplete',
      `A snapshot of ${this.#commit} pages lacks page ${this.#following(last)}.`,
    );
  }
}

function fail(message: string): never {
  throw new LtxError('ltx_bad_page', message);
}
