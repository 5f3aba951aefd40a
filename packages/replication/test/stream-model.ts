import { decodeLtx, encodeLtx } from '@tandem/ltx';
import type { NodeIdentity } from '@tandem/lease';
import { EpochHistory, formatPosition, type Position } from '../src/epoch-history.ts';
import { DIGEST_BYTES, DigestSum, GROUP_PAGES, pageDigest } from '../src/page-digest.ts';
import type {
  ArrivedFile,
  LoggedFile,
  RepairTarget,
  RepairView,
  RepairWriter,
  StreamClock,
  StreamSettings,
  StreamSink,
  StreamSource,
} from '../src/stream-source.ts';

export const MODEL_PAGE_BYTES = 512;

/** Times for tests: lively, and patient enough for a busy machine. */
export const MODEL_SETTINGS: StreamSettings = {
  heartbeatMs: 25,
  silenceMsMax: 20_000,
  sendBufferBytesMax: 1 << 18,
  ltxBytesMax: 1 << 22,
  lingerMs: 500,
};

export function modelIdentity(name: string, boot = 1): NodeIdentity {
  return { id: `${name}_${boot}`, name, advertiseUrl: `http://${name}.test:20202` };
}

/** A page whose bytes follow from a seed. */
export function modelPage(seed: number, pageBytes = MODEL_PAGE_BYTES): Uint8Array {
  const page = new Uint8Array(pageBytes);
  let state = (seed * 2_654_435_761 + 1) >>> 0;
  for (let index = 0; index < pageBytes; index += 1) {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    page[index] = state >>> 24;
  }
  return page;
}

/** Digests of pages, by groups and of all. */
class Pages {
  readonly list: readonly Uint8Array[];

  constructor(list: readonly Uint8Array[]) {
    this.list = list;
  }

  get digest(): string {
    const sum = new DigestSum();
    for (const [index, page] of this.list.entries()) sum.add(digestOf(index + 1, page));
    return `${this.list.length}:${sum.toHex()}`;
  }

  groupDigests(): Uint8Array {
    const groups = Math.ceil(this.list.length / GROUP_PAGES);
    const out = new DataView(new ArrayBuffer(groups * DIGEST_BYTES));
    for (let group = 0; group < groups; group += 1) {
      const sum = new DigestSum();
      for (const [pgno, page] of this.#group(group)) sum.add(digestOf(pgno, page));
      writeWords(out, group, sum.words);
    }
    return new Uint8Array(out.buffer);
  }

  pageDigests(group: number): Uint8Array {
    const pages = this.#group(group);
    const out = new DataView(new ArrayBuffer(pages.length * DIGEST_BYTES));
    for (const [index, [pgno, page]] of pages.entries()) {
      writeWords(out, index, digestOf(pgno, page));
    }
    return new Uint8Array(out.buffer);
  }

  #group(group: number): [number, Uint8Array][] {
    const first = group * GROUP_PAGES;
    return this.list
      .slice(first, first + GROUP_PAGES)
      .map((page, index) => [first + index + 1, page]);
  }
}

/**
 * A database as an array of pages, with a log in memory: what a stream expects of either end. It is
 * strict: whatever a sink may rely on is checked.
 */
export class ModelDatabase implements StreamSource, StreamSink {
  readonly name: string;
  pages: Uint8Array[] = [];
  /** Every position that was ever reached, with the digest there. */
  readonly reached = new Map<string, string>();
  readonly quarantined: { readonly afterTxid: number; readonly throughTxid: number }[] = [];
  /** How many files each call to apply brought. */
  readonly runs: number[] = [];
  writtenPages = 0;
  openViews = 0;
  /** Called before and awaited by each apply. */
  beforeApply: () => void | Promise<void> = () => {};
  /** Called for each page that a repair writes. */
  onPage: () => void = () => {};
  onChange: () => void = () => {};
  #txid = 0;
  #history = EpochHistory.EMPTY;
  readonly #log = new Map<number, LoggedFile>();
  #staged: Uint8Array[] | undefined;
  #isRepairing = false;
  #isBusy = false;

  constructor(name: string) {
    this.name = name;
  }

  position(): Position {
    return this.#history.positionOf(this.#txid);
  }

  history(): EpochHistory {
    return this.#history;
  }

  pageSize(): number {
    return this.#source().list[0]?.length ?? 0;
  }

  pageCount(): number {
    return this.pages.length;
  }

  digest(): string {
    return new Pages(this.pages).digest;
  }

  groupDigests(): Uint8Array {
    return this.#source().groupDigests();
  }

  pageDigests(group: number): Uint8Array {
    return this.#source().pageDigests(group);
  }

  /** This node becomes primary of `epoch`. */
  begin(epoch: number): void {
    this.#history = this.#history.begin(epoch, this.#txid + 1);
    this.onChange();
  }

  /** One transaction as primary: pages by number; the database grows or shrinks to `pageCount`. */
  commit(changes: ReadonlyMap<number, Uint8Array>, pageCount = this.pages.length): number {
    const all = new Map(changes);
    for (let pgno = this.pages.length + 1; pgno <= pageCount; pgno += 1) {
      if (!all.has(pgno)) all.set(pgno, modelPage(pgno));
    }
    const pages = [...all]
      .filter(([pgno]) => pgno <= pageCount)
      .sort(([a], [b]) => a - b)
      .map(([pgno, data]) => ({ pgno, data }));
    const txid = this.#txid + 1;
    const bytes = encodeLtx(headerOf(txid, pageCount), pages, 0n);
    this.#put(pages, pageCount);
    this.#log.set(txid, { minTxid: txid, maxTxid: txid, timestampMs: txid * 1000, bytes });
    this.#reach(txid);
    return txid;
  }

  /** Forgets the log before `txid`. */
  retainFrom(txid: number): void {
    for (const minTxid of this.#log.keys()) if (minTxid < txid) this.#log.delete(minTxid);
  }

  readFrom(txid: number): LoggedFile | undefined {
    return this.#log.get(txid);
  }

  readHolding(txid: number): LoggedFile | undefined {
    return [...this.#log.values()].find((file) => file.minTxid <= txid && file.maxTxid >= txid);
  }

  bytesAfter(txid: number): number {
    let sum = 0;
    for (const { minTxid, bytes } of this.#log.values()) if (minTxid > txid) sum += bytes.length;
    return sum;
  }

  openView(): RepairView {
    const pages = new Pages([...this.pages]);
    this.openViews += 1;
    return {
      position: this.position(),
      history: this.#history,
      pageSize: this.pageSize(),
      pageCount: pages.list.length,
      digest: pages.digest,
      groupDigests: () => pages.groupDigests(),
      pageDigests: (group) => pages.pageDigests(group),
      readPage: (pgno, into) => into.set(pages.list[pgno - 1] ?? []),
      readPages: (pgno, into) => {
        for (let at = 0; at < into.length; at += MODEL_PAGE_BYTES) {
          into.set(pages.list[pgno - 1 + at / MODEL_PAGE_BYTES] ?? [], at);
        }
      },
      close: () => {
        this.openViews -= 1;
      },
    };
  }

  async apply(files: readonly ArrivedFile[]): Promise<void> {
    this.#mustBeIdle();
    if (this.#isRepairing) throw new Error('apply during a repair');
    const [first] = files;
    if (first === undefined) throw new Error('apply of nothing');
    for (const { epoch, history } of files) {
      if (epoch !== first.epoch || history !== first.history)
        throw new Error('apply of two epochs');
    }
    this.#isBusy = true;
    await this.beforeApply();
    for (const file of files) this.#applyFile(file);
    this.#isBusy = false;
    this.runs.push(files.length);
    this.onChange();
  }

  adoptHistory(history: EpochHistory): void {
    this.#mustBeIdle();
    this.#history = this.#history.adopt(history, this.#txid);
    this.onChange();
  }

  quarantineAfter(sharedTxid: number): void {
    this.#mustBeIdle();
    this.quarantined.push({ afterTxid: sharedTxid, throughTxid: this.#txid });
    for (const txid of this.#log.keys()) if (txid > sharedTxid) this.#log.delete(txid);
    // The pages are still those of the lost transactions, so the position is none.
    this.#history = this.#history.truncateAfter(0);
    this.#txid = 0;
    this.onChange();
  }

  beginRepair(target: RepairTarget): RepairWriter {
    this.#mustBeIdle();
    if (this.#isRepairing) throw new Error('two repairs at once');
    const isSameSize = this.pageSize() === target.pageSize;
    const staged = this.#staged ?? (isSameSize ? [...this.pages] : []);
    if (staged[0]?.length !== target.pageSize) staged.length = 0;
    this.#staged = staged;
    this.#isRepairing = true;
    return {
      writePages: (pgno, bytes) => {
        const { pageSize } = target;
        if (bytes.length === 0 || bytes.length % pageSize !== 0) throw new Error('no whole page');
        // Pages come in order within a group, but a group that is the same is left out.
        while (staged.length < pgno - 1) staged.push(new Uint8Array(pageSize));
        for (let at = 0; at < bytes.length; at += pageSize) {
          staged[pgno - 1 + at / pageSize] = new Uint8Array(bytes.subarray(at, at + pageSize));
          this.writtenPages += 1;
        }
        this.onPage();
      },
      commit: async (digest) => {
        await Promise.resolve();
        const pages = staged.slice(0, target.pageCount);
        if (new Pages(pages).digest !== digest)
          throw new Error('the repair came to something else');
        this.pages = pages;
        this.#staged = undefined;
        this.#isRepairing = false;
        this.#log.clear();
        this.#history = this.#history.adopt(target.history, target.position.txid);
        this.#reach(target.position.txid);
      },
      abort: () => {
        this.#isRepairing = false;
        this.onChange();
      },
    };
  }

  #applyFile(file: ArrivedFile): void {
    const { header, pages } = decodeLtx(file.bytes);
    if (header.minTxid > this.#txid + 1) throw new Error('apply with a gap');
    if (header.maxTxid <= this.#txid) throw new Error('apply of what is there');
    if (file.history.epochOf(file.maxTxid) !== file.epoch) throw new Error('apply of no epoch');
    this.#put(pages, header.commit);
    this.#log.set(header.minTxid, { ...file, bytes: new Uint8Array(file.bytes) });
    this.#history = this.#history.adopt(file.history, file.maxTxid);
    this.#reach(header.maxTxid);
  }

  #source(): Pages {
    return new Pages(this.#isRepairing ? (this.#staged ?? []) : this.pages);
  }

  #mustBeIdle(): void {
    if (this.#isBusy) throw new Error('a call during another');
  }

  #put(pages: Iterable<{ pgno: number; data: Uint8Array }>, pageCount: number): void {
    const next = this.pages.slice(0, pageCount);
    for (const { pgno, data } of pages) next[pgno - 1] = new Uint8Array(data);
    this.pages = next;
  }

  #reach(txid: number): void {
    this.#txid = txid;
    this.reached.set(formatPosition(this.position()), this.digest());
    this.onChange();
  }
}

/** A clock that stands still until it is told to go on. */
export class ModelClock implements StreamClock {
  #nowMs = 0;
  #timers: { readonly atMs: number; readonly callback: () => void }[] = [];

  monotonicMs(): number {
    return this.#nowMs;
  }

  wallMs(): number {
    return 1_700_000_000_000 + this.#nowMs;
  }

  after(delayMs: number, callback: () => void): () => void {
    const timer = { atMs: this.#nowMs + delayMs, callback };
    this.#timers.push(timer);
    return () => {
      this.#timers = this.#timers.filter((other) => other !== timer);
    };
  }

  /** How many timers have not run. */
  get pending(): number {
    return this.#timers.length;
  }

  /** Lets time pass, running timers in order. */
  advance(byMs: number): void {
    const untilMs = this.#nowMs + byMs;
    for (;;) {
      const [next] = this.#timers
        .filter(({ atMs }) => atMs <= untilMs)
        .sort((a, b) => a.atMs - b.atMs);
      if (next === undefined) break;
      this.#timers = this.#timers.filter((timer) => timer !== next);
      this.#nowMs = Math.max(this.#nowMs, next.atMs);
      next.callback();
    }
    this.#nowMs = untilMs;
  }
}

/** Pages of the model are never written to, so that their digests can be kept. */
const DIGESTS = new WeakMap<Uint8Array, { readonly pgno: number; readonly words: Uint32Array }>();

function digestOf(pgno: number, page: Uint8Array): Uint32Array {
  const known = DIGESTS.get(page);
  if (known?.pgno === pgno) return known.words;
  const words = new Uint32Array(DIGEST_BYTES / 4);
  pageDigest(pgno, page, words);
  DIGESTS.set(page, { pgno, words });
  return words;
}

function writeWords(out: DataView, index: number, words: Readonly<Uint32Array>): void {
  for (const [word, value] of words.entries()) {
    out.setUint32(index * DIGEST_BYTES + word * 4, value);
  }
}

function headerOf(txid: number, pageCount: number): Parameters<typeof encodeLtx>[0] {
  return {
    pageSize: MODEL_PAGE_BYTES,
    commit: pageCount,
    minTxid: txid,
    maxTxid: txid,
    timestampMs: txid * 1000,
    preApplyChecksum: 0n,
    walOffsetBytes: 0,
    walSizeBytes: 0,
    walSalt1: 0,
    walSalt2: 0,
    nodeId: 0n,
    isChecksummed: false,
  };
}
