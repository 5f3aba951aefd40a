import { dirname } from 'node:path';
import { assert } from '@tandem/base';
import { lockPage, pageChecksum, RollingChecksum, type LtxPage } from '@tandem/ltx';
import {
  DIGEST_BYTES,
  digestsOf,
  DigestSum,
  ENTRY_BYTES,
  GROUP_PAGES,
  pageDigest,
  totalOf,
  type EntryTotal,
  type PageEntry,
} from './page-digest.ts';
import {
  damagedTable,
  emptyPageTableHeader,
  encodePageTableHeader,
  HEADER_BYTES,
  offsetOf,
  openPageTableFile,
  pageCountOf,
  readPageTableHeader,
  type PageTableHeader,
} from './page-table-header.ts';
import { fileFailure } from './replication-error.ts';
import { nodeFiles, readFully, syncFolder, writeFully, type FileOperations } from './small-file.ts';

const ENTRY_WORDS = ENTRY_BYTES / 4;
/** Pages that are written at once. */
const RUN_PAGES_MAX = 256;
/** Pages that are read at once in a pass over the table: whole groups, just under 1 MiB. */
const PASS_PAGES = 42 * GROUP_PAGES;
const PGNO_MAX = 0xffff_fffe;

/**
 * What is known of every page of a database without reading it: its LTX checksum, its digest, and
 * the sums of both. A file with a header of 4,096 bytes and 24 bytes for each page, read and written
 * in place: little of it is in memory, whatever the size of the database. One process has it open.
 *
 * 1. The sums are those of the entries, at any moment.
 * 2. The header on the disk says 'clean' only while the entries on the disk are those of `txid` and
 *    the sums in the header are theirs. It says otherwise, durably, before an entry changes.
 * 3. An entry depends on its page alone. After a stop in the middle of changes, setting the pages of
 *    every transaction after `txid` once more leads to the right table.
 */
export class PageTable {
  readonly path: string;
  readonly pageSize: number;
  /** False when the last process ended in the middle of changes: see invariant 3. */
  readonly wasClean: boolean;
  readonly #files: FileOperations;
  readonly #descriptor: number;
  readonly #lockPage: number;
  readonly #sum = new DigestSum();
  readonly #words = new Uint32Array(ENTRY_WORDS);
  readonly #fresh = new DataView(new ArrayBuffer(RUN_PAGES_MAX * ENTRY_BYTES));
  readonly #old = new DataView(new ArrayBuffer(RUN_PAGES_MAX * ENTRY_BYTES));
  #rolling = new RollingChecksum();
  #pageCount: number;
  #absentCount: number;
  #txid: number;
  #isClean: boolean;
  /** True after a failed write: an entry may be half written, so that the sums are those of no table. */
  #isDoubtful = false;

  private constructor(
    path: string,
    descriptor: number,
    header: PageTableHeader,
    files: FileOperations,
  ) {
    this.path = path;
    this.pageSize = header.pageSize;
    this.wasClean = header.isClean;
    this.#files = files;
    this.#descriptor = descriptor;
    this.#lockPage = lockPage(header.pageSize);
    this.#pageCount = header.pageCount;
    this.#absentCount = header.absentCount;
    this.#txid = header.txid;
    this.#isClean = header.isClean;
    this.#rolling = new RollingChecksum(header.rollingChecksum);
    this.#sum.add(header.sum);
  }

  /**
   * Makes an empty table, in the place of one that is there.
   *
   * @throws ReplicationError `disk_full`, `state_failed`.
   */
  static create(path: string, pageSize: number, files: FileOperations = nodeFiles): PageTable {
    assert(isPageSize(pageSize), 'a page size is a power of two from 512 to 65,536');
    const descriptor = openPageTableFile(path, 'w+', files);
    try {
      const table = new PageTable(path, descriptor, emptyPageTableHeader(pageSize), files);
      table.#write(new Uint8Array(HEADER_BYTES), 0);
      table.#writeHeader();
      syncFolder(dirname(path), files);
      return table;
    } catch (error) {
      files.closeSync(descriptor);
      throw fileFailure(error, `${path} cannot be made`, path);
    }
  }

  static exists(path: string, files: FileOperations = nodeFiles): boolean {
    return files.existsSync(path);
  }

  /**
   * Opens the table at `path`, with one pass over it: where it was clean, the sums have to be those
   * that it was closed with, else they are made anew.
   *
   * @throws ReplicationError `page_table_missing`, `page_table_damaged`, `state_failed`.
   */
  static open(path: string, files: FileOperations = nodeFiles): PageTable {
    const descriptor = openPageTableFile(path, 'r+', files);
    try {
      const header = readPageTableHeader(path, descriptor, files);
      const table = new PageTable(path, descriptor, header, files);
      table.#cutRest();
      table.#sumUp();
      if (header.isClean && !table.#hasSums(header)) throw damagedTable(path, 'its sums are wrong');
      return table;
    } catch (error) {
      files.closeSync(descriptor);
      throw fileFailure(error, `${path} cannot be read`, path);
    }
  }

  get pageCount(): number {
    return this.#pageCount;
  }

  /** How many pages up to `pageCount` were never set. 0 for a table that describes a database. */
  get absentCount(): number {
    this.#settle();
    const hasLockPage = this.#lockPage <= this.#pageCount;
    return this.#absentCount - (hasLockPage ? 1 : 0);
  }

  /** The transaction of the last `markSynced`; 0 when there was none. */
  get txid(): number {
    return this.#txid;
  }

  /** The checksum of the database as LTX files carry it. */
  get rollingChecksum(): bigint {
    this.#settle();
    return this.#rolling.toBigInt();
  }

  /** The sum of the digests of all pages, 32 hexadecimal digits. */
  get digest(): string {
    this.#settle();
    return this.#sum.toHex();
  }

  /** Sets the entry of one page from its bytes; the table grows as far as that. */
  setPage(pgno: number, data: Uint8Array): void {
    this.setPages([{ pgno, data }]);
  }

  /**
   * Sets the entries of many pages, best in ascending order. The lock page is passed over. A page
   * between the old end and a new one that is not set is absent; a page of zeros has to be set.
   *
   * @throws ReplicationError `disk_full`, `state_failed`; some of the pages are then set.
   */
  setPages(pages: Iterable<LtxPage>): void {
    this.#settle();
    this.markDirty();
    let first = 0;
    let count = 0;
    for (const { pgno, data } of pages) {
      assert(pgno > 0 && pgno <= PGNO_MAX, 'a page has a number from 1 on');
      assert(data.length === this.pageSize, 'a page has the size of the pages');
      if (pgno === this.#lockPage) continue;
      if (count > 0 && (pgno !== first + count || count === RUN_PAGES_MAX)) {
        this.#writeRun(first, count);
        count = 0;
      }
      if (count === 0) first = pgno;
      this.#compute(count, pgno, data);
      count += 1;
    }
    if (count > 0) this.#writeRun(first, count);
  }

  /**
   * Sets the entries of pages in a row, from `pgno` on, whose bytes stand one after the other. The lock
   * page is not among them.
   *
   * @throws ReplicationError `disk_full`, `state_failed`; some of the pages are then set.
   */
  setRun(pgno: number, bytes: Uint8Array): void {
    const { pageSize } = this;
    const total = bytes.length / pageSize;
    assert(Number.isInteger(total) && pgno > 0, 'a run has whole pages, with numbers from 1 on');
    assert(pgno + total - 1 <= PGNO_MAX, 'a page has a number that SQLite knows');
    this.#settle();
    this.markDirty();
    for (let done = 0; done < total;) {
      const count = Math.min(RUN_PAGES_MAX, total - done);
      for (let index = 0; index < count; index += 1) {
        const at = (done + index) * pageSize;
        assert(pgno + done + index !== this.#lockPage, 'the lock page has no entry');
        this.#compute(index, pgno + done + index, bytes.subarray(at, at + pageSize));
      }
      this.#writeRun(pgno + done, count);
      done += count;
    }
  }

  /**
   * Puts the six words of the entry of a page, as `setEntries` takes them, into `into`.
   *
   * The lock page has none.
   */
  static entryOf(pgno: number, data: Uint8Array, into: Uint32Array): void {
    pageChecksum(pgno, data, into);
    pageDigest(pgno, data, into, 2);
  }

  /**
   * As `setPages`, with entries that were made before: six words for each of the pages.
   *
   * @throws ReplicationError `disk_full`, `state_failed`; some of them are then set.
   */
  setEntries(pgnos: readonly number[], words: readonly number[]): void {
    this.#settle();
    this.markDirty();
    let first = 0;
    let count = 0;
    for (const [index, pgno] of pgnos.entries()) {
      if (count > 0 && (pgno !== first + count || count === RUN_PAGES_MAX)) {
        this.#writeRun(first, count);
        count = 0;
      }
      if (count === 0) first = pgno;
      for (let word = 0; word < ENTRY_WORDS; word += 1) {
        const value = words[index * ENTRY_WORDS + word] ?? 0;
        this.#fresh.setUint32(count * ENTRY_BYTES + word * 4, value);
      }
      count += 1;
    }
    if (count > 0) this.#writeRun(first, count);
  }

  /**
   * As `setRun`, with entries that were made before, as the file has them: `ENTRY_BYTES` for each page,
   * which is absent where they are zeros.
   *
   * @throws ReplicationError `disk_full`, `state_failed`; some of them are then set.
   */
  setRunOfEntries(pgno: number, entries: Uint8Array): void {
    assert(entries.length % ENTRY_BYTES === 0 && pgno > 0, 'a run has whole entries');
    this.#settle();
    this.markDirty();
    for (let at = 0; at < entries.length; at += PASS_PAGES * ENTRY_BYTES) {
      const some = Uint8Array.from(entries.subarray(at, at + PASS_PAGES * ENTRY_BYTES));
      const old = new DataView(new ArrayBuffer(some.length));
      const room = { fresh: new DataView(some.buffer), old };
      this.#writeRun(pgno + at / ENTRY_BYTES, some.length / ENTRY_BYTES, room);
    }
  }

  /**
   * The database now has `pageCount` pages: those beyond are forgotten. Where the table was shorter,
   * the new pages are absent.
   *
   * @throws ReplicationError `disk_full`, `state_failed`.
   */
  truncate(pageCount: number): void {
    assert(pageCount >= 0 && pageCount <= PGNO_MAX, 'a database has a number of pages');
    this.#settle();
    if (pageCount === this.#pageCount) return;
    this.markDirty();
    const gone = this.#total(pageCount + 1);
    this.#attempt(() => {
      this.#files.ftruncateSync(this.#descriptor, offsetOf(pageCount + 1));
    });
    this.#rolling.toggle(gone.hi, gone.lo);
    this.#sum.subtract(gone.digest);
    this.#absentCount -= this.#pageCount - pageCount - gone.presentCount;
    this.#pageCount = pageCount;
  }

  /**
   * Sets every absent page to zeros, as SQLite reads a page inside of the database that nobody wrote,
   * and returns how many there were.
   *
   * @throws ReplicationError `disk_full`, `state_failed`.
   */
  fillAbsent(): number {
    const absentCount = this.absentCount;
    if (absentCount === 0) return 0;
    const zeros = new Uint8Array(this.pageSize);
    this.#pass(1, (entries, count, firstPgno) => {
      for (let index = 0; index < count; index += 1) {
        if (entries.getUint32(index * ENTRY_BYTES) === 0) this.setPage(firstPgno + index, zeros);
      }
    });
    return absentCount;
  }

  /** What is known of a page; undefined when it was never set or is beyond the end. */
  get(pgno: number): PageEntry | undefined {
    if (!this.#readEntries(pgno, 1)) return undefined;
    const checksum = this.#old.getBigUint64(0);
    if (checksum === 0n) return undefined;
    return { checksum, digest: new Uint8Array(this.#old.buffer.slice(8, ENTRY_BYTES)) };
  }

  /** True when the page of that number has these bytes, or is the lock page, which has no bytes. */
  matches(pgno: number, data: Uint8Array): boolean {
    if (pgno === this.#lockPage) return true;
    if (!this.#readEntries(pgno, 1)) return false;
    pageDigest(pgno, data, this.#words, 2);
    for (let index = 2; index < ENTRY_WORDS; index += 1) {
      if (this.#old.getUint32(index * 4) !== this.#words[index]) return false;
    }
    return true;
  }

  /** The digests of all groups of 1,024 pages, 16 bytes each. */
  groupDigests(): Uint8Array<ArrayBuffer> {
    const groupCount = Math.ceil(this.#pageCount / GROUP_PAGES);
    const digests = new Uint8Array(groupCount * DIGEST_BYTES);
    const view = new DataView(digests.buffer);
    this.#pass(1, (entries, count, firstPgno) => {
      const firstGroup = (firstPgno - 1) / GROUP_PAGES;
      for (let from = 0; from < count; from += GROUP_PAGES) {
        const group = firstGroup + from / GROUP_PAGES;
        const { digest } = totalOf(entries, from, Math.min(count, from + GROUP_PAGES));
        for (const [word, value] of digest.entries()) {
          view.setUint32(group * DIGEST_BYTES + word * 4, value);
        }
      }
    });
    return digests;
  }

  /** The digests of the pages of one group, 16 bytes each; zeros for an absent one. */
  pageDigests(group: number): Uint8Array<ArrayBuffer> {
    const firstPgno = group * GROUP_PAGES + 1;
    const count = Math.max(0, Math.min(GROUP_PAGES, this.#pageCount - firstPgno + 1));
    const entries = new Uint8Array(count * ENTRY_BYTES);
    this.#read(entries, offsetOf(firstPgno));
    return digestsOf(entries);
  }

  /**
   * The table now describes the database after `txid`; it is made durable and clean.
   *
   * @throws ReplicationError `disk_full`, `state_failed`.
   */
  markSynced(txid: number): void {
    assert(Number.isSafeInteger(txid) && txid >= 0, 'a table describes the state after a txid');
    this.#settle();
    if (this.#isClean && txid === this.#txid) return;
    this.#attempt(() => {
      if (!this.#isClean) this.#files.fsyncSync(this.#descriptor);
      this.#txid = txid;
      this.#isClean = true;
      this.#writeHeader();
    });
  }

  /**
   * Says durably that entries are about to change. The first change after `markSynced` does this by
   * itself; it costs one sync of the disk.
   *
   * @throws ReplicationError `disk_full`, `state_failed`.
   */
  markDirty(): void {
    if (!this.#isClean) return;
    this.#isClean = false;
    this.#attempt(() => {
      this.#writeHeader();
    });
  }

  /** Without `markSynced` before, the next opening finds the table as after a stop. */
  close(): void {
    this.#files.closeSync(this.#descriptor);
  }

  [Symbol.dispose](): void {
    this.close();
  }

  /** Makes the entry of a page, at that place of `#fresh`. */
  #compute(index: number, pgno: number, data: Uint8Array): void {
    const words = this.#words;
    pageChecksum(pgno, data, words);
    pageDigest(pgno, data, words, 2);
    for (let word = 0, at = index * ENTRY_BYTES; word < ENTRY_WORDS; word += 1, at += 4) {
      this.#fresh.setUint32(at, words[word] ?? 0);
    }
  }

  /**
   * Puts the entries of `room.fresh` in the place of the old ones, in the file and in the sums. The old
   * ones are read into `room.old`.
   */
  #writeRun(first: number, count: number, room = { fresh: this.#fresh, old: this.#old }): void {
    this.#readEntries(first, count, room.old);
    const bytes = new Uint8Array(room.fresh.buffer, 0, count * ENTRY_BYTES);
    this.#attempt(() => {
      this.#write(bytes, offsetOf(first));
    });
    const old = totalOf(room.old, 0, count);
    const fresh = totalOf(room.fresh, 0, count);
    this.#rolling.toggle(old.hi, old.lo).toggle(fresh.hi, fresh.lo);
    this.#sum.subtract(old.digest).add(fresh.digest);
    const pageCount = Math.max(this.#pageCount, first + count - 1);
    this.#absentCount += pageCount - this.#pageCount - (fresh.presentCount - old.presentCount);
    this.#pageCount = pageCount;
  }

  /** Reads entries into `into`, those beyond the end as absent. False when the first is beyond it. */
  #readEntries(first: number, count: number, into: DataView<ArrayBuffer> = this.#old): boolean {
    const bytes = new Uint8Array(into.buffer, 0, count * ENTRY_BYTES);
    const knownCount = Math.max(0, Math.min(count, this.#pageCount - first + 1));
    this.#read(bytes.subarray(0, knownCount * ENTRY_BYTES), offsetOf(first));
    bytes.fill(0, knownCount * ENTRY_BYTES);
    return knownCount > 0;
  }

  /**
   * Makes the sums anew if a failed write has left them in doubt, and writes the header again, which
   * may be the one that failed.
   */
  #settle(): void {
    if (!this.#isDoubtful) return;
    this.#pageCount = pageCountOf(this.#files.fstatSync(this.#descriptor).size);
    this.#sumUp();
    this.#attempt(() => {
      this.#cutRest();
      this.#writeHeader();
    });
    this.#isDoubtful = false;
  }

  /** A part of an entry at the end would be taken for a whole one once the table grows past it. */
  #cutRest(): void {
    const end = offsetOf(this.#pageCount + 1);
    if (this.#files.fstatSync(this.#descriptor).size === end) return;
    this.#files.ftruncateSync(this.#descriptor, end);
  }

  #sumUp(): void {
    const total = this.#total(1);
    this.#rolling = new RollingChecksum().toggle(total.hi, total.lo);
    this.#sum.clear().add(total.digest);
    this.#absentCount = this.#pageCount - total.presentCount;
  }

  #hasSums({ rollingChecksum, sum, absentCount }: PageTableHeader): boolean {
    const isSameSum = sum.every((word, index) => word === this.#sum.words[index]);
    const isSameCount = absentCount === this.#absentCount;
    return isSameSum && isSameCount && rollingChecksum === this.#rolling.toBigInt();
  }

  /** What the entries from `firstPgno` to the end add up to. */
  #total(firstPgno: number): EntryTotal {
    const sum = new DigestSum();
    let hi = 0;
    let lo = 0;
    let presentCount = 0;
    this.#pass(firstPgno, (entries, count) => {
      const part = totalOf(entries, 0, count);
      hi ^= part.hi;
      lo ^= part.lo;
      presentCount += part.presentCount;
      sum.add(part.digest);
    });
    return { hi, lo, presentCount, digest: sum.words };
  }

  #pass(
    firstPgno: number,
    visit: (entries: DataView, count: number, firstPgno: number) => void,
  ): void {
    const bytes = new Uint8Array(PASS_PAGES * ENTRY_BYTES);
    const entries = new DataView(bytes.buffer);
    for (let pgno = firstPgno; pgno <= this.#pageCount; pgno += PASS_PAGES) {
      const count = Math.min(PASS_PAGES, this.#pageCount - pgno + 1);
      this.#read(bytes.subarray(0, count * ENTRY_BYTES), offsetOf(pgno));
      visit(entries, count, pgno);
    }
  }

  #read(bytes: Uint8Array, offset: number): void {
    if (!readFully(this.#descriptor, bytes, offset, this.#files)) {
      throw damagedTable(this.path, 'it ends too early');
    }
  }

  #write(bytes: Uint8Array, offset: number): void {
    writeFully(this.#descriptor, bytes, offset, this.#files);
  }

  #writeHeader(): void {
    const bytes = encodePageTableHeader({
      pageSize: this.pageSize,
      pageCount: this.#pageCount,
      isClean: this.#isClean,
      absentCount: this.#absentCount,
      txid: this.#txid,
      rollingChecksum: this.#rolling.toBigInt(),
      sum: this.#sum.words,
    });
    this.#write(bytes, 0);
    this.#files.fsyncSync(this.#descriptor);
  }

  #attempt(action: () => void): void {
    try {
      action();
    } catch (error) {
      this.#isDoubtful = true;
      this.#isClean = false;
      throw fileFailure(error, `${this.path} cannot be written`, this.path);
    }
  }
}

function isPageSize(pageSize: number): boolean {
  return pageSize >= 512 && pageSize <= 65_536 && Number.isInteger(Math.log2(pageSize));
}
