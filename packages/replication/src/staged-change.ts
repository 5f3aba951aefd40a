import { lockPage, RollingChecksum, splitUint64, type LtxPage } from '@tandem/ltx';
import { ENTRY_BYTES } from './page-digest.ts';
import { PageTable } from './page-table.ts';

/**
 * What a change makes of a page table, worked out without touching the table: the file of the log that
 * holds the change ends with the checksum that the table will have, and has to be in the log first.
 */
export class StagedChange {
  readonly #table: PageTable;
  readonly #rolling: RollingChecksum;
  readonly #lockPage: number;
  readonly #entry = new Uint32Array(ENTRY_BYTES / 4);
  readonly #pgnos: number[] = [];
  readonly #words: number[] = [];
  #pageCount: number;

  constructor(table: PageTable) {
    this.#table = table;
    this.#rolling = new RollingChecksum(table.rollingChecksum);
    this.#lockPage = lockPage(table.pageSize);
    this.#pageCount = table.pageCount;
  }

  /** The checksum of the database after the change. */
  get rollingChecksum(): bigint {
    return this.#rolling.toBigInt();
  }

  /** The change writes this page, and no page twice. */
  add({ pgno, data }: LtxPage): void {
    if (pgno === this.#lockPage) return;
    PageTable.entryOf(pgno, data, this.#entry);
    this.#forget(pgno);
    this.#rolling.toggle(this.#entry[0] ?? 0, this.#entry[1] ?? 0);
    this.#pgnos.push(pgno);
    for (const word of this.#entry) this.#words.push(word);
  }

  /** The database has so many pages afterwards; comes last. */
  truncate(pageCount: number): void {
    for (let pgno = pageCount + 1; pgno <= this.#pageCount; pgno += 1) this.#forget(pgno);
    this.#pageCount = pageCount;
  }

  /**
   * Enters the change into the table. Repeatable.
   *
   * @throws ReplicationError `disk_full`, `state_failed`.
   */
  enter(): void {
    this.#table.setEntries(this.#pgnos, this.#words);
    this.#table.truncate(this.#pageCount);
  }

  #forget(pgno: number): void {
    const { checksum } = this.#table.get(pgno) ?? {};
    if (checksum !== undefined) this.#rolling.toggle(...splitUint64(checksum));
  }
}
