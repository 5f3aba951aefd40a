import {
  closeSync,
  ftruncateSync,
  mkdtempDisposableSync,
  openSync,
  readFileSync,
  statSync,
  truncateSync,
  writeFileSync,
  writeSync,
  type DisposableTempDir,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AssertionError } from '@tandem/base';
import { lockPage, pageChecksumBigInt, RollingChecksum, splitUint64 } from '@tandem/ltx';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { differingGroups, differingPages, DigestSum, pageDigest } from './page-digest.ts';
import { PageTable } from './page-table.ts';
import { nodeFiles, type FileOperations } from './small-file.ts';

const PAGE_SIZE = 512;

function temporaryFolder(): DisposableTempDir {
  return mkdtempDisposableSync(join(tmpdir(), 'tandem-page-table-'));
}

function pathIn(folder: DisposableTempDir): string {
  return join(folder.path, 'pages');
}

function page(content: number, pageSize = PAGE_SIZE): Uint8Array {
  return new Uint8Array(pageSize).fill(content);
}

/** Numbers of pages with what fills them, for `setPages`. */
function* pagesOf(contents: Iterable<readonly [number, number]>, pageSize = PAGE_SIZE) {
  for (const [pgno, content] of contents) yield { pgno, data: page(content, pageSize) };
}

/** What a table has to say of a database with these pages, made without one. */
function expectedOf(contents: ReadonlyMap<number, number>): {
  readonly rollingChecksum: bigint;
  readonly digest: string;
} {
  const rolling = new RollingChecksum();
  const sum = new DigestSum();
  const words = new Uint32Array(4);
  for (const { pgno, data } of pagesOf(contents)) {
    rolling.toggle(...splitUint64(pageChecksumBigInt(pgno, data)));
    pageDigest(pgno, data, words);
    sum.add(words);
  }
  return { rollingChecksum: rolling.toBigInt(), digest: sum.toHex() };
}

/** The entries of pages, as the file has them. */
function entriesOf(contents: Iterable<readonly [number, number]>): Uint8Array {
  const words = new Uint32Array(6);
  const entries = Array.from(pagesOf(contents), ({ pgno, data }) => {
    PageTable.entryOf(pgno, data, words);
    return Buffer.from(Uint32Array.from(words).buffer).swap32();
  });
  return Buffer.concat(entries);
}

function stateOf(table: PageTable): object {
  return { rollingChecksum: table.rollingChecksum, digest: table.digest };
}

function errno(code: string): Error {
  return Object.assign(new Error(code), { code, errno: -1 });
}

/** The file system, with `onCall` before each call. */
function watched(onCall: (name: string, parameters: readonly unknown[]) => void): FileOperations {
  return new Proxy(nodeFiles, {
    get(target, name) {
      const operation: unknown = Reflect.get(target, name);
      if (typeof operation !== 'function') return operation;
      return (...parameters: unknown[]): unknown => {
        onCall(String(name), parameters);
        return Reflect.apply(operation, undefined, parameters);
      };
    },
  });
}

describe('PageTable', () => {
  it('says of a new database that it has no pages', () => {
    using folder = temporaryFolder();
    using table = PageTable.create(pathIn(folder), 4096);
    expect([table.pageSize, table.pageCount, table.txid, table.absentCount]).toEqual([
      4096, 0, 0, 0,
    ]);
    expect(stateOf(table)).toEqual(expectedOf(new Map()));
    expect([table.get(1), table.matches(1, page(0, 4096))]).toEqual([undefined, false]);
    expect(table.groupDigests()).toEqual(new Uint8Array());
  });

  it('holds the checksum and the digest of each page', () => {
    using folder = temporaryFolder();
    using table = PageTable.create(pathIn(folder), PAGE_SIZE);
    table.setPages(
      pagesOf([
        [1, 1],
        [2, 2],
        [3, 3],
      ]),
    );
    // The checksums of the LTX format's own examples.
    expect(table.get(1)?.checksum).toBe(0xe4e4_aaa1_0237_7eeen);
    expect(table.get(2)?.checksum).toBe(0xc9c9_5542_3104_4dddn);
    expect(table.get(3)?.checksum).toBe(0xc2d2_001c_dfea_a333n);
    expect(table.rollingChecksum).toBe(0xefff_ffff_ecd9_9000n);
    const words = new Uint32Array(4);
    pageDigest(2, page(2), words);
    const digest = Buffer.from(table.get(2)?.digest ?? []);
    expect(digest.toString('hex')).toBe(new DigestSum().add(words).toHex());
    expect([table.matches(2, page(2)), table.matches(2, page(3))]).toEqual([true, false]);
    expect(table.matches(4, page(4))).toBe(false);
  });

  it('sees by the digest that two pages traded places, where the checksum does not', () => {
    using folder = temporaryFolder();
    using table = PageTable.create(pathIn(folder), PAGE_SIZE);
    table.setPages(
      pagesOf([
        [1, 7],
        [2, 9],
      ]),
    );
    const before = { checksum: table.rollingChecksum, digest: table.digest };
    table.setPages(
      pagesOf([
        [1, 9],
        [2, 7],
      ]),
    );
    expect(table.rollingChecksum).toBe(before.checksum);
    expect(table.digest).not.toBe(before.digest);
  });

  it('is what its pages add up to after any changes, openings and stops', () => {
    const change = fc.oneof(
      fc.record({
        kind: fc.constant('set' as const),
        pages: fc.array(fc.tuple(fc.integer({ min: 1, max: 600 }), fc.nat(255)), { maxLength: 20 }),
      }),
      fc.record({
        kind: fc.constant('fill' as const),
        first: fc.integer({ min: 1, max: 300 }),
        count: fc.nat(600),
        by: fc.constantFrom('pages', 'run', 'entries'),
      }),
      fc.record({ kind: fc.constant('truncate' as const), pageCount: fc.nat(700) }),
      fc.record({ kind: fc.constant('zeros' as const) }),
      fc.record({ kind: fc.constant('reopen' as const), isClean: fc.boolean() }),
    );
    fc.assert(
      fc.property(fc.array(change, { maxLength: 12 }), (changes) => {
        using folder = temporaryFolder();
        let table = PageTable.create(pathIn(folder), PAGE_SIZE);
        const model = new Map<number, number>();
        let pageCount = 0;
        for (const [index, step] of changes.entries()) {
          if (step.kind === 'set' || step.kind === 'fill') {
            const contents =
              step.kind === 'set'
                ? step.pages
                : Array.from({ length: step.count }, (_, at) => [step.first + at, index] as const);
            const by = step.kind === 'fill' ? step.by : 'pages';
            if (by === 'pages') table.setPages(pagesOf(contents));
            else if (by === 'run') {
              const run = Buffer.concat([...pagesOf(contents)].map(({ data }) => data));
              table.setRun(contents[0]?.[0] ?? 1, run);
            } else table.setRunOfEntries(contents[0]?.[0] ?? 1, entriesOf(contents));
            for (const [pgno, content] of contents) model.set(pgno, content);
            pageCount = Math.max(pageCount, ...contents.map(([pgno]) => pgno));
          } else if (step.kind === 'truncate') {
            table.truncate(step.pageCount);
            pageCount = step.pageCount;
            for (const pgno of model.keys()) if (pgno > pageCount) model.delete(pgno);
          } else if (step.kind === 'zeros') {
            expect(table.fillAbsent()).toBe(pageCount - model.size);
            for (let pgno = 1; pgno <= pageCount; pgno += 1) model.set(pgno, model.get(pgno) ?? 0);
          } else {
            if (step.isClean) table.markSynced(index);
            table.close();
            table = PageTable.open(pathIn(folder));
            if (step.isClean) expect(table.txid).toBe(index);
            expect(table.wasClean).toBe(step.isClean || table.wasClean);
          }
          expect(stateOf(table)).toEqual(expectedOf(model));
          expect([table.pageCount, table.absentCount]).toEqual([pageCount, pageCount - model.size]);
        }
        for (const [pgno, content] of model) expect(table.matches(pgno, page(content))).toBe(true);
        table.close();
      }),
      { numRuns: 60 },
    );
  });

  it('forgets the pages whose entries are set to zeros', () => {
    using folder = temporaryFolder();
    using table = PageTable.create(pathIn(folder), PAGE_SIZE);
    table.setPages(pagesOf([1, 2, 3, 4].map((pgno) => [pgno, pgno] as const)));
    table.setRunOfEntries(2, new Uint8Array(48));
    expect([table.pageCount, table.absentCount]).toEqual([4, 2]);
    const left = new Map([1, 4].map((pgno) => [pgno, pgno] as const));
    expect(stateOf(table)).toEqual(expectedOf(left));
  });

  it('passes over the lock page, which has no bytes', () => {
    using folder = temporaryFolder();
    const pageSize = 65_536;
    const locked = lockPage(pageSize);
    using table = PageTable.create(pathIn(folder), pageSize);
    const neighbours = [locked - 1, locked, locked + 1].map((pgno) => [pgno, 1] as const);
    table.setPages(pagesOf(neighbours, pageSize));
    expect([table.pageCount, table.absentCount]).toEqual([locked + 1, locked - 2]);
    expect(table.get(locked)).toBeUndefined();
    expect(table.matches(locked, page(5, pageSize))).toBe(true);
    table.truncate(locked - 1);
    expect([table.pageCount, table.absentCount]).toEqual([locked - 1, locked - 2]);
  });

  it('takes no page of another size or without a number', () => {
    using folder = temporaryFolder();
    using table = PageTable.create(pathIn(folder), PAGE_SIZE);
    expect(() => table.setPage(1, page(1, 1024))).toThrow(AssertionError);
    expect(() => table.setPage(0, page(1))).toThrow(AssertionError);
    expect(() => PageTable.create(pathIn(folder), 1000)).toThrow(AssertionError);
  });
});

describe('PageTable.open', () => {
  function openWith(folder: DisposableTempDir, bytes: Uint8Array): PageTable {
    writeFileSync(pathIn(folder), bytes);
    return PageTable.open(pathIn(folder));
  }

  it('says that there is none', () => {
    using folder = temporaryFolder();
    expect(PageTable.exists(pathIn(folder))).toBe(false);
    expect(() => PageTable.open(pathIn(folder))).toThrow(
      expect.objectContaining({ code: 'page_table_missing' }),
    );
    PageTable.create(pathIn(folder), PAGE_SIZE).close();
    expect(PageTable.exists(pathIn(folder))).toBe(true);
  });

  it('tells a damaged table from a good one', () => {
    using folder = temporaryFolder();
    {
      using table = PageTable.create(pathIn(folder), PAGE_SIZE);
      table.setPages(
        pagesOf([
          [1, 1],
          [2, 2],
        ]),
      );
      table.markSynced(5);
    }
    const good = readFileSync(pathIn(folder));
    openWith(folder, good).close();
    const bad = [good.subarray(0, 0), good.subarray(0, 40), good.subarray(0, -1), page(0, 8192)];
    for (const offset of [0, 7, 11, 15, 16, 31, 39, 55, 70, 4096 + 3, 4096 + 40]) {
      bad.push(Buffer.from(good.map((byte, index) => (index === offset ? byte ^ 4 : byte))));
    }
    for (const bytes of bad) {
      expect(() => openWith(folder, bytes)).toThrow(
        expect.objectContaining({
          code: 'page_table_damaged',
          hint: expect.stringContaining('Delete it'),
        }),
      );
    }
  });

  it('goes on from the entries after a stop, and still knows the last synced transaction', () => {
    using folder = temporaryFolder();
    using stopped = PageTable.create(pathIn(folder), PAGE_SIZE);
    stopped.setPages(
      pagesOf([
        [1, 1],
        [2, 2],
        [3, 3],
      ]),
    );
    stopped.markSynced(5);
    stopped.setPages(
      pagesOf([
        [2, 9],
        [4, 4],
      ]),
    );
    using table = PageTable.open(pathIn(folder));
    expect([table.wasClean, table.txid, table.pageCount]).toEqual([false, 5, 4]);
    const after = expectedOf(
      new Map([
        [1, 1],
        [2, 9],
        [3, 3],
        [4, 4],
      ]),
    );
    expect(stateOf(table)).toEqual(after);
    table.setPages(
      pagesOf([
        [2, 9],
        [4, 4],
      ]),
    );
    expect(stateOf(table)).toEqual(after);
  });

  it('has a header of 4,096 bytes and 24 for each page', () => {
    using folder = temporaryFolder();
    using table = PageTable.create(pathIn(folder), PAGE_SIZE);
    expect(statSync(pathIn(folder)).size).toBe(4096);
    table.setPage(10, page(1));
    expect(statSync(pathIn(folder)).size).toBe(4096 + 240);
    table.truncate(3);
    expect(statSync(pathIn(folder)).size).toBe(4096 + 72);
  });
});

describe('a table that is not finished', () => {
  const BEFORE: readonly (readonly [number, number])[] = [
    [1, 1],
    [2, 2],
    [3, 3],
    [4, 4],
  ];

  function prepare(folder: DisposableTempDir): void {
    using table = PageTable.create(pathIn(folder), PAGE_SIZE);
    table.setPages(pagesOf(BEFORE));
    table.markSynced(5);
  }

  function changeAll(table: PageTable): void {
    table.setPages(
      pagesOf([
        [2, 9],
        [3, 9],
        [6, 9],
        [5, 9],
      ]),
    );
    table.truncate(5);
    table.markSynced(6);
    table.setPage(1, page(8));
  }

  it('has the sums of its entries wherever the process stops', () => {
    const seen = new Set<string>();
    let calls = 0;
    for (let isDone = false; !isDone; calls += 1) {
      using folder = temporaryFolder();
      prepare(folder);
      let count = 0;
      const files = watched((name) => {
        if (name === 'openSync') count = 0;
        count += 1;
        if (count > calls + 4) throw new Error('stopped');
      });
      try {
        changeAll(PageTable.open(pathIn(folder), files));
        isDone = true;
      } catch (error) {
        expect(error).toHaveProperty('message', 'stopped');
      }
      using table = PageTable.open(pathIn(folder));
      seen.add(`${table.txid}`);
      const kept = { ...stateOf(table), absentCount: table.absentCount };
      markUnclean(folder);
      using summed = PageTable.open(pathIn(folder));
      expect({ ...stateOf(summed), absentCount: summed.absentCount }).toEqual(kept);
      changeAll(summed);
      expect(stateOf(summed)).toEqual(
        expectedOf(
          new Map([
            [1, 8],
            [2, 9],
            [3, 9],
            [4, 4],
            [5, 9],
          ]),
        ),
      );
    }
    expect([...seen]).toEqual(['5', '6']);
    expect(calls).toBeGreaterThan(10);
  });

  /** Makes the next opening add up the entries, whatever the header says. */
  function markUnclean(folder: DisposableTempDir): void {
    using table = PageTable.open(pathIn(folder));
    table.markDirty();
  }

  it('says durably that it changes before it changes', () => {
    using folder = temporaryFolder();
    prepare(folder);
    const calls: string[] = [];
    using table = PageTable.open(
      pathIn(folder),
      watched((name, parameters) => {
        if (name === 'fsyncSync') calls.push('sync');
        if (name === 'writeSync') calls.push(parameters[4] === 0 ? 'header' : 'entries');
      }),
    );
    table.setPages(pagesOf([[1, 5]]));
    table.setPages(pagesOf([[2, 5]]));
    table.markSynced(6);
    table.markSynced(6);
    expect(calls.join(' ')).toBe('header sync entries entries sync header sync');
  });

  it('has the sums of its entries after a write that the disk had no room for', () => {
    using folder = temporaryFolder();
    prepare(folder);
    let isFull = false;
    using table = PageTable.open(
      pathIn(folder),
      watched((name, [descriptor, bytes, , length, offset]) => {
        if (!isFull || name !== 'writeSync' || !(bytes instanceof Uint8Array)) return;
        // The first entry and a half of the next find room.
        writeSync(Number(descriptor), bytes, 0, Math.min(36, Number(length)), Number(offset));
        throw errno('ENOSPC');
      }),
    );
    table.setPage(1, page(7));
    isFull = true;
    expect(() =>
      table.setPages(
        pagesOf([
          [3, 9],
          [4, 9],
          [5, 9],
        ]),
      ),
    ).toThrow(expect.objectContaining({ code: 'disk_full' }));
    isFull = false;
    const changed: readonly (readonly [number, number])[] = [
      [4, 9],
      [5, 9],
    ];
    table.setPages(pagesOf(changed));
    expect(stateOf(table)).toEqual(expectedOf(new Map([[1, 7], [2, 2], [3, 9], ...changed])));
  });

  it('does not say that it is clean after it could not be synced', () => {
    using folder = temporaryFolder();
    prepare(folder);
    let syncsLeft = Infinity;
    const table = PageTable.open(
      pathIn(folder),
      watched((name) => {
        if (name !== 'fsyncSync') return;
        syncsLeft -= 1;
        if (syncsLeft < 0) throw errno('EIO');
      }),
    );
    table.setPage(1, page(7));
    syncsLeft = 1;
    expect(() => table.markSynced(6)).toThrow(expect.objectContaining({ code: 'state_failed' }));
    syncsLeft = Infinity;
    table.setPage(2, page(7));
    using again = PageTable.open(pathIn(folder));
    expect(again.wasClean).toBe(false);
    expect(stateOf(again)).toEqual(
      expectedOf(
        new Map([
          [1, 7],
          [2, 7],
          [3, 3],
          [4, 4],
        ]),
      ),
    );
    table.close();
  });

  it('takes no part of an entry for one when it grows past it', () => {
    for (let rest = 1; rest < 24; rest += 1) {
      using folder = temporaryFolder();
      const path = pathIn(folder);
      {
        using table = PageTable.create(path, PAGE_SIZE);
        table.setPages(pagesOf([1, 2, 3, 4].map((pgno) => [pgno, pgno] as const)));
      }
      truncateSync(path, 4096 + 2 * 24 + rest);
      using table = PageTable.open(path);
      expect(table.pageCount).toBe(2);
      table.setPage(4, page(4));
      table.setPage(3, page(3));
      const contents = new Map([1, 2, 3, 4].map((pgno) => [pgno, pgno] as const));
      expect(stateOf(table)).toEqual(expectedOf(contents));
    }
  });

  it('does not read past the end of a file that somebody cut', () => {
    using folder = temporaryFolder();
    prepare(folder);
    using table = PageTable.open(pathIn(folder));
    const descriptor = openSync(pathIn(folder), 'r+');
    ftruncateSync(descriptor, 4100);
    closeSync(descriptor);
    expect(() => table.get(2)).toThrow(expect.objectContaining({ code: 'page_table_damaged' }));
  });
});

describe('digests for a repair', () => {
  it('lead to exactly the pages that differ', () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(fc.integer({ min: 1, max: 2600 }), { maxLength: 5 }),
        fc.constantFrom(1024, 2048, 2100, 2600),
        fc.constantFrom(1023, 1025, 2100, 2600),
        (changed, wantedCount, heldCount) => {
          using folder = temporaryFolder();
          using wanted = PageTable.create(join(folder.path, 'wanted'), PAGE_SIZE);
          using held = PageTable.create(join(folder.path, 'held'), PAGE_SIZE);
          const whole = (count: number) =>
            Array.from({ length: count }, (_, index) => [index + 1, index & 255] as const);
          wanted.setPages(pagesOf(whole(wantedCount)));
          held.setPages(pagesOf(whole(heldCount)));
          for (const pgno of changed) if (pgno <= wantedCount) wanted.setPage(pgno, page(pgno + 7));
          const groups = differingGroups(wanted.groupDigests(), held.groupDigests());
          const found = groups.flatMap((group) =>
            differingPages(group, wanted.pageDigests(group), held.pageDigests(group)),
          );
          const missing = whole(wantedCount).map(([pgno]) => pgno);
          expect(found).toEqual(
            missing.filter((pgno) => pgno > heldCount || changed.includes(pgno)),
          );
        },
      ),
      { numRuns: 12 },
    );
  });

  it('of a group add up to that of the group, and of all groups to that of the database', () => {
    using folder = temporaryFolder();
    using table = PageTable.create(pathIn(folder), PAGE_SIZE);
    table.setPages(pagesOf(Array.from({ length: 1500 }, (_, index) => [index + 1, index & 255])));
    const sumOf = (digests: Uint8Array): DigestSum => {
      const sum = new DigestSum();
      const view = new DataView(digests.buffer);
      for (let at = 0; at < digests.length; at += 16) {
        sum.add(Uint32Array.from([0, 4, 8, 12], (word) => view.getUint32(at + word)));
      }
      return sum;
    };
    const groups = table.groupDigests();
    expect(groups).toHaveLength(32);
    expect(sumOf(groups).toHex()).toBe(table.digest);
    expect(sumOf(table.pageDigests(1)).toHex()).toBe(sumOf(groups.slice(16)).toHex());
    expect(table.pageDigests(1)).toHaveLength(476 * 16);
    expect(table.pageDigests(2)).toHaveLength(0);
  });
});
