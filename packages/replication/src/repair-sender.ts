import { lockPage } from '@tandem/ltx';
import type { Position } from './epoch-history.ts';
import { DIGEST_BYTES, differingGroups, differingPages, GROUP_PAGES } from './page-digest.ts';
import { outOfPlace, type StreamMessage, type StreamMessageOf } from './stream-message.ts';
import type { RepairView, StreamSource } from './stream-source.ts';

/** Groups whose page digests are asked for before the pages of the first are sent. */
const QUERIES_AHEAD = 4;
/** Pages in a row are sent up to this size at once: much larger messages would hold others up. */
const PAGES_BYTES_MAX = 1 << 18;

/** Finds out which pages of a database a replica lacks, and sends those. */
export class RepairSender {
  readonly name: string;
  readonly #view: RepairView;
  readonly #epoch: number;
  readonly #groupDigests: Uint8Array;
  /** Where pages wait to be sent, while none wait there: memory of this size is costly to come by. */
  readonly #free: Buffer[] = [];
  #isBegun = false;
  #isOver = false;
  #held: Uint8Array[] = [];
  /** Groups that differ; undefined until the replica has said what it holds. */
  #groups: number[] | undefined;
  /** The first of them for which the replica has not been asked. */
  #queried = 0;
  /** The first of them whose pages have not been looked at. */
  #compared = 0;
  readonly #answers = new Map<number, Uint8Array | undefined>();
  /** Pages of the group under way, ascending, and how many of them have been sent. */
  #pages: readonly number[] = [];
  #sentPages = 0;

  constructor(source: StreamSource, epoch: number) {
    this.name = source.name;
    this.#epoch = epoch;
    this.#view = source.openView();
    this.#groupDigests = this.#view.groupDigests();
  }

  get position(): Position {
    return this.#view.position;
  }

  /** All has been sent; the replica has yet to confirm. */
  get isSent(): boolean {
    return this.#isOver;
  }

  /** At most so many bytes of pages are still to be sent. */
  get unsentBytes(): number {
    const { pageCount, pageSize } = this.#view;
    const groups = this.#groups?.length ?? Math.ceil(pageCount / GROUP_PAGES);
    const pages = (groups - this.#compared) * GROUP_PAGES + this.#pages.length - this.#sentPages;
    return Math.min(pages, pageCount) * pageSize;
  }

  close(): void {
    this.#view.close();
  }

  /** The bytes of a message with pages are on their way, and their room is free again. */
  reuse({ bytes }: StreamMessageOf<'pages'>): void {
    this.#free.push(Buffer.from(bytes.buffer));
  }

  takeGroups({ isLast, bytes }: StreamMessageOf<'groups'>): void {
    const heldBytes = this.#held.reduce((sum, { length }) => sum + length, bytes.length);
    const isInPlace = this.#isBegun && this.#groups === undefined;
    if (!isInPlace || bytes.length % DIGEST_BYTES !== 0) throw outOfPlace('groups');
    if (heldBytes > this.#groupDigests.length) throw outOfPlace('groups');
    this.#held.push(bytes);
    if (!isLast) return;
    const held = Buffer.concat(this.#held);
    this.#groups = differingGroups(this.#groupDigests, held);
    // A group of which the replica holds nothing needs no question.
    for (const group of this.#groups) {
      const at = group * DIGEST_BYTES;
      const isHeld = held.subarray(at, at + DIGEST_BYTES).some((byte) => byte !== 0);
      if (!isHeld) this.#answers.set(group, new Uint8Array());
    }
    this.#held = [];
  }

  takeDigests({ group, bytes }: StreamMessageOf<'digests'>): void {
    const isAsked = this.#answers.has(group) && this.#answers.get(group) === undefined;
    const isWhole = bytes.length % DIGEST_BYTES === 0 && bytes.length <= DIGEST_BYTES * GROUP_PAGES;
    if (!isAsked || !isWhole) throw outOfPlace('digests');
    this.#answers.set(group, bytes);
  }

  /** The next message; undefined when it depends on what the replica says, or all is sent. */
  next(): StreamMessage | undefined {
    const { name } = this;
    if (!this.#isBegun) return this.#begin();
    if (this.#groups === undefined || this.#isOver) return undefined;
    const query = this.#nextQuery(this.#groups);
    if (query !== undefined) return { kind: 'query', name, groups: query };
    while (this.#sentPages === this.#pages.length && this.#compared < this.#groups.length) {
      if (!this.#compareNext(this.#groups[this.#compared] ?? 0)) return undefined;
    }
    const pgno = this.#pages[this.#sentPages];
    if (pgno === undefined) {
      this.#isOver = true;
      return { kind: 'repaired', name, epoch: this.#epoch, digest: this.#view.digest };
    }
    const room =
      this.#free.pop() ?? Buffer.allocUnsafeSlow(Math.max(PAGES_BYTES_MAX, this.#view.pageSize));
    const bytes = room.subarray(0, this.#runLength(pgno) * this.#view.pageSize);
    this.#view.readPages(pgno, bytes);
    this.#sentPages += bytes.length / this.#view.pageSize;
    return { kind: 'pages', name, pgno, bytes };
  }

  /** How many pages from `pgno` on, which is the next, are in a row and fit a message. */
  #runLength(pgno: number): number {
    const most = Math.max(1, Math.floor(PAGES_BYTES_MAX / this.#view.pageSize));
    let count = 1;
    while (count < most && this.#pages[this.#sentPages + count] === pgno + count) count += 1;
    return count;
  }

  #begin(): StreamMessage {
    this.#isBegun = true;
    const { position, history, pageSize, pageCount } = this.#view;
    const { epoch: positionEpoch, txid } = position;
    const { name } = this;
    const epoch = this.#epoch;
    return { kind: 'repair', name, epoch, positionEpoch, txid, pageSize, pageCount, history };
  }

  #nextQuery(groups: readonly number[]): number[] | undefined {
    const end = Math.min(groups.length, this.#compared + QUERIES_AHEAD);
    const ahead = groups.slice(this.#queried, Math.max(end, this.#queried));
    this.#queried += ahead.length;
    const unknown = ahead.filter((group) => !this.#answers.has(group));
    for (const group of unknown) this.#answers.set(group, undefined);
    return unknown.length > 0 ? unknown : undefined;
  }

  #compareNext(group: number): boolean {
    const held = this.#answers.get(group);
    if (held === undefined) return false;
    this.#answers.delete(group);
    this.#compared += 1;
    this.#sentPages = 0;
    this.#pages = held.length === 0 ? this.#allPages(group) : this.#differingPages(group, held);
    return true;
  }

  /** Of a group of which the replica holds nothing, no digest has to be known. */
  #allPages(group: number): number[] {
    const { pageCount, pageSize } = this.#view;
    const first = group * GROUP_PAGES + 1;
    const count = Math.min(GROUP_PAGES, pageCount - first + 1);
    const skipped = lockPage(pageSize);
    return Array.from({ length: count }, (_, index) => first + index).filter(
      (pgno) => pgno !== skipped,
    );
  }

  #differingPages(group: number, held: Uint8Array): number[] {
    const wanted = this.#view.pageDigests(group);
    // Digests of absent pages are zeros, on either side and beyond the end.
    const padded = new Uint8Array(wanted.length);
    padded.set(held.subarray(0, wanted.length));
    return differingPages(group, wanted, padded).filter((pgno) => pgno <= this.#view.pageCount);
  }
}
