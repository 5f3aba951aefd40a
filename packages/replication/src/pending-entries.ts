import { ENTRY_BYTES } from './page-digest.ts';
import { PageTable } from './page-table.ts';

const ENTRY_WORDS = ENTRY_BYTES / 4;
/** Entries that wait, 1 MiB of them: those of 170 MiB of pages of 4 KiB. */
const ENTRIES_MAX = Math.floor((1 << 20) / ENTRY_BYTES);

interface Run {
  readonly first: number;
  count: number;
}

/**
 * Entries of a page table on their way to it. A write of a few of them waits as long for the disk as one
 * of many, and they are not to be in the table before their pages are in the file.
 */
export class PendingEntries {
  readonly #bytes = new Uint8Array(ENTRIES_MAX * ENTRY_BYTES);
  readonly #view = new DataView(this.#bytes.buffer);
  readonly #words = new Uint32Array(ENTRY_WORDS);
  #runs: Run[] = [];
  #count = 0;

  /** For so many pages there is room. */
  get room(): number {
    return ENTRIES_MAX - this.#count;
  }

  /** Makes the entries of pages in a row, from `pgno` on, for which there is room. */
  add(pgno: number, bytes: Uint8Array, pageSize: number): void {
    const count = bytes.length / pageSize;
    for (let index = 0; index < count; index += 1) {
      const page = bytes.subarray(index * pageSize, (index + 1) * pageSize);
      PageTable.entryOf(pgno + index, page, this.#words);
      const at = (this.#count + index) * ENTRY_BYTES;
      for (let word = 0; word < ENTRY_WORDS; word += 1) {
        this.#view.setUint32(at + word * 4, this.#words[word] ?? 0);
      }
    }
    const last = this.#runs.at(-1);
    if (last !== undefined && last.first + last.count === pgno) last.count += count;
    else this.#runs.push({ first: pgno, count });
    this.#count += count;
  }

  /**
   * Puts the entries into `table`, or where it is not known what became of the pages, that there are no
   * such pages.
   *
   * @throws ReplicationError `disk_full`, `state_failed`; the entries still wait.
   */
  enter(table: PageTable, areWritten: boolean): void {
    if (!areWritten) this.#bytes.fill(0);
    let at = 0;
    for (const { first, count } of this.#runs) {
      const end = at + count * ENTRY_BYTES;
      table.setRunOfEntries(first, this.#bytes.subarray(at, end));
      at = end;
    }
    this.clear();
  }

  /** Forgets them. */
  clear(): void {
    this.#runs = [];
    this.#count = 0;
  }
}
