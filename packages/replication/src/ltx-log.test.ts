import {
  existsSync,
  mkdirSync,
  mkdtempDisposableSync,
  readdirSync,
  readFileSync,
  statSync,
  writeFileSync,
  type DisposableTempDir,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AssertionError } from '@tandem/base';
import { encodeLtx, ltxFileName, pageChecksumBigInt, type LtxHeader } from '@tandem/ltx';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LtxLog, type LogEntry } from './ltx-log.ts';
import { longestRun } from './ltx-log-run.ts';
import { nodeFiles, type FileOperations } from './small-file.ts';

const TIME_MS = Date.UTC(2026, 5, 1, 12, 30, 15, 250);

function temporaryFolder(): DisposableTempDir {
  return mkdtempDisposableSync(join(tmpdir(), 'tandem-ltx-log-'));
}

function headerOf(minTxid: number, maxTxid: number): LtxHeader {
  return {
    pageSize: 512,
    commit: 1,
    minTxid,
    maxTxid,
    timestampMs: TIME_MS,
    preApplyChecksum: 0n,
    walOffsetBytes: 0,
    walSizeBytes: 0,
    walSalt1: 0,
    walSalt2: 0,
    nodeId: 0n,
    isChecksummed: false,
  };
}

function ltxBytes(minTxid: number, maxTxid: number): Uint8Array {
  const page = { pgno: 1, data: new Uint8Array(512).fill(maxTxid) };
  return encodeLtx(headerOf(minTxid, maxTxid), [page], 0n);
}

function openLog(folder: DisposableTempDir, files: FileOperations = nodeFiles): LtxLog {
  return LtxLog.open(join(folder.path, 'ltx'), { sync: 'full', files });
}

/** Adds files of these transaction counts. */
function grow(log: LtxLog, ...counts: readonly number[]): void {
  for (const count of counts) {
    const [minTxid, maxTxid] = [log.lastTxid + 1, log.lastTxid + count];
    append(log, { minTxid, maxTxid }, [ltxBytes(minTxid, maxTxid)]);
  }
  log.flush();
}

function append(
  log: LtxLog,
  range: LogEntry,
  chunks: readonly Uint8Array[],
  timestampMs = TIME_MS,
): LogEntry {
  return log.append(range, timestampMs, (write) => {
    for (const chunk of chunks) write(chunk);
  });
}

function rangesOf(entries: readonly LogEntry[]): [number, number][] {
  return entries.map(({ minTxid, maxTxid }) => [minTxid, maxTxid]);
}

/** The names in the log's folder. */
function namesIn(folder: DisposableTempDir, name = 'ltx'): string[] {
  return readdirSync(join(folder.path, name)).sort();
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

interface Stopping {
  readonly files: FileOperations;
  /** Calls are counted from when this is set. */
  isArmed: boolean;
  isStopped: boolean;
}

/** The file system of a process that ends at a call, in the case of a write with half of it done. */
function stoppingAt(callNumber: number): Stopping {
  let count = 0;
  const state: Stopping = {
    isArmed: false,
    isStopped: false,
    files: watched((name, [descriptor, bytes]) => {
      if (state.isArmed) count += 1;
      if (!state.isStopped && count === callNumber) {
        state.isStopped = true;
        if (name === 'writeSync' && bytes instanceof Uint8Array) {
          nodeFiles.writeSync(Number(descriptor), bytes, 0, bytes.length >> 1);
        }
      }
      if (state.isStopped) throw new Error('stopped');
    }),
  };
  return state;
}

/** Runs `action`, and returns false when the process stopped in it. */
function isCompleted(process: Stopping, action: () => void): boolean {
  try {
    action();
  } catch (error) {
    if (!process.isStopped) throw error;
  }
  return !process.isStopped;
}

/**
 * Stops `action` at each of its calls in turn, in a new folder that `prepare` filled, and lets
 * `check` look at what is left. Returns how many calls there were.
 */
function stopEverywhere(
  prepare: (folder: DisposableTempDir) => void,
  action: (log: LtxLog, folder: DisposableTempDir) => void,
  check: (folder: DisposableTempDir) => void,
): number {
  for (let callNumber = 1; ; callNumber += 1) {
    using folder = temporaryFolder();
    prepare(folder);
    const process = stoppingAt(callNumber);
    const log = openLog(folder, process.files);
    process.isArmed = true;
    const isDone = isCompleted(process, () => action(log, folder));
    check(folder);
    if (isDone) return callNumber - 1;
  }
}

describe('LtxLog', () => {
  it('is empty in a new folder', () => {
    using folder = temporaryFolder();
    using log = openLog(folder);
    expect([log.firstTxid, log.lastTxid, log.fileCount, log.sizeBytes]).toEqual([0, 0, 0, 0]);
    expect([log.entries(), log.strays, log.find(1)]).toEqual([[], [], undefined]);
  });

  it('holds the files that were added, as they were, after it is opened again', () => {
    using folder = temporaryFolder();
    const [first, second] = [ltxBytes(1, 1), ltxBytes(2, 5)];
    {
      using log = openLog(folder);
      append(log, { minTxid: 1, maxTxid: 1 }, [first]);
      const halves = [second.subarray(0, 7), second.subarray(7)];
      append(log, { minTxid: 2, maxTxid: 5 }, halves, TIME_MS + 1);
    }
    using log = openLog(folder);
    expect([log.firstTxid, log.lastTxid, log.fileCount]).toEqual([1, 5, 2]);
    expect(log.sizeBytes).toBe(first.length + second.length);
    expect(log.measuredEntries()).toEqual([
      { minTxid: 1, maxTxid: 1, sizeBytes: first.length, timestampMs: TIME_MS },
      { minTxid: 2, maxTxid: 5, sizeBytes: second.length, timestampMs: TIME_MS + 1 },
    ]);
    expect(log.entries().map((entry) => Buffer.from(log.readFile(entry)))).toEqual([
      Buffer.from(first),
      Buffer.from(second),
    ]);
    expect(namesIn(folder)).toEqual([ltxFileName(1, 1), ltxFileName(2, 5)]);
  });

  it('writes a file of thousands of chunks whole', () => {
    using folder = temporaryFolder();
    using log = openLog(folder);
    const chunks = Array.from({ length: 5000 }, (_, index) => Uint8Array.of(index, index >> 8));
    const entry = append(log, { minTxid: 1, maxTxid: 1 }, chunks);
    expect(Buffer.from(log.readFile(entry))).toEqual(Buffer.concat(chunks));
  });

  it('goes on where the system wrote only a part', () => {
    using folder = temporaryFolder();
    const files = new Proxy(nodeFiles, {
      get: (target, name): unknown =>
        name === 'writeSync'
          ? (
              ...[descriptor, bytes, from, length, at]: [number, Uint8Array, number, number, number]
            ) => nodeFiles.writeSync(descriptor, bytes, from, Math.min(2, length), at)
          : Reflect.get(target, name),
    });
    using log = openLog(folder, files);
    const chunks = [Uint8Array.of(1, 2, 3), Uint8Array.of(4, 5, 6), Uint8Array.of(7)];
    const entry = append(log, { minTxid: 1, maxTxid: 1 }, chunks);
    expect([...log.readFile(entry)]).toEqual([1, 2, 3, 4, 5, 6, 7]);
  });

  it('takes no file that leaves a gap, overlaps or is empty', () => {
    using folder = temporaryFolder();
    using log = openLog(folder);
    grow(log, 3);
    for (const minTxid of [1, 3, 5]) {
      const range = { minTxid, maxTxid: 9 };
      expect(() => append(log, range, [ltxBytes(4, 9)])).toThrow(AssertionError);
    }
    expect(() => append(log, { minTxid: 4, maxTxid: 4 }, [])).toThrow(AssertionError);
    expect(namesIn(folder)).toEqual([ltxFileName(1, 3)]);
  });

  it('finds the file that holds a transaction', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 1, maxLength: 8 }),
        fc.nat(8),
        (counts, removed) => {
          using folder = temporaryFolder();
          using log = LtxLog.open(join(folder.path, 'ltx'), { sync: 'none' });
          grow(log, ...counts);
          log.removeThrough(removed);
          const entries = log.entries();
          for (let txid = 0; txid <= log.lastTxid + 1; txid += 1) {
            const expected = entries.find((each) => each.minTxid <= txid && txid <= each.maxTxid);
            expect(log.find(txid)).toEqual(expected);
          }
        },
      ),
      { numRuns: 30 },
    );
  });

  it('names a file that somebody deleted', () => {
    using folder = temporaryFolder();
    using log = openLog(folder);
    grow(log, 1, 1);
    nodeFiles.unlinkSync(join(folder.path, 'ltx', ltxFileName(1, 1)));
    const missing = expect.objectContaining({
      code: 'log_missing',
      message: expect.stringContaining(ltxFileName(1, 1)),
    });
    expect(() => log.readFile({ minTxid: 1, maxTxid: 1 })).toThrow(missing);
    using again = openLog(folder);
    expect(again.firstTxid).toBe(2);
    nodeFiles.unlinkSync(join(folder.path, 'ltx', ltxFileName(2, 2)));
    expect(() => again.sizeBytes).toThrow(expect.objectContaining({ code: 'log_missing' }));
  });
});

describe('LtxLog.append', () => {
  it('leaves the log with the file or without it wherever the process stops', () => {
    const seen = new Set<number>();
    const calls = stopEverywhere(
      (folder) => {
        using log = openLog(folder);
        grow(log, 1, 1);
      },
      (log) => grow(log, 3),
      (folder) => {
        using log = openLog(folder);
        seen.add(log.lastTxid);
        expect(rangesOf(log.entries())).toEqual(
          [
            [1, 1],
            [2, 2],
            [3, 5],
          ].slice(0, log.fileCount),
        );
        expect(namesIn(folder)).toHaveLength(log.fileCount);
        expect(log.strays).toEqual([]);
        grow(log, 1);
      },
    );
    expect([...seen]).toEqual([2, 5]);
    expect(calls).toBe(7);
  });

  it('R6: makes all that was added durable at once, files first, then their names', () => {
    using folder = temporaryFolder();
    const calls: string[] = [];
    using log = openLog(
      folder,
      watched((name) => void calls.push(name)),
    );
    calls.length = 0;
    for (const txid of [1, 2]) {
      append(log, { minTxid: txid, maxTxid: txid }, [ltxBytes(txid, txid)]);
      expect(calls.splice(0).join(' ')).toBe('openSync writeSync futimesSync renameSync');
    }
    log.flush();
    expect(calls.splice(0).join(' ')).toBe('fsyncSync fsyncSync fsyncSync closeSync closeSync');
    log.flush();
    expect(calls).toEqual([]);
  });

  it('syncs nothing when that is left to the system', () => {
    using folder = temporaryFolder();
    const calls: string[] = [];
    const files = watched((name) => void calls.push(name));
    using log = LtxLog.open(join(folder.path, 'ltx'), { sync: 'none', files });
    calls.length = 0;
    grow(log, 1);
    expect(calls.join(' ')).toBe('openSync writeSync futimesSync closeSync renameSync');
  });

  it('does not keep ever more files open for somebody who never flushes', () => {
    using folder = temporaryFolder();
    let open = 0;
    using log = openLog(
      folder,
      watched((name) => {
        if (name === 'openSync') open += 1;
        if (name === 'closeSync') open -= 1;
      }),
    );
    for (let txid = 1; txid <= 200; txid += 1) {
      append(log, { minTxid: txid, maxTxid: txid }, [ltxBytes(txid, txid)]);
      expect(open).toBeLessThanOrEqual(65);
    }
    expect(log.fileCount).toBe(200);
  });

  it('leaves nothing of a file for which the disk is full, and goes on when there is room', () => {
    for (const call of ['openSync', 'writeSync', 'futimesSync', 'renameSync']) {
      using folder = temporaryFolder();
      let isFull = false;
      using log = openLog(
        folder,
        watched((name) => {
          if (isFull && name === call) throw errno('ENOSPC');
        }),
      );
      grow(log, 2);
      isFull = true;
      expect(() => grow(log, 3)).toThrow(
        expect.objectContaining({
          code: 'disk_full',
          retryable: true,
          hint: expect.stringContaining(folder.path),
        }),
      );
      expect(log.lastTxid).toBe(2);
      expect(namesIn(folder)).toEqual([ltxFileName(1, 2)]);
      isFull = false;
      grow(log, 1);
      expect(rangesOf(log.entries())).toEqual([
        [1, 2],
        [3, 3],
      ]);
    }
  });

  it('tries again to sync what could not be synced', () => {
    using folder = temporaryFolder();
    let syncs = 0;
    using log = openLog(
      folder,
      watched((name) => {
        if (name !== 'fsyncSync') return;
        syncs += 1;
        if (syncs === 2) throw errno('EIO');
      }),
    );
    expect(() => grow(log, 1)).toThrow(expect.objectContaining({ code: 'state_failed' }));
    log.flush();
    expect(syncs).toBe(4);
    log.flush();
    expect(syncs).toBe(4);
  });

  it('says which checksum the database has after a file', () => {
    using folder = temporaryFolder();
    using log = openLog(folder);
    const page = { pgno: 1, data: new Uint8Array(512).fill(9) };
    const post = pageChecksumBigInt(1, page.data);
    const bytes = encodeLtx({ ...headerOf(1, 1), isChecksummed: true }, [page], post);
    const first = append(log, { minTxid: 1, maxTxid: 1 }, [bytes]);
    const second = append(log, { minTxid: 2, maxTxid: 2 }, [ltxBytes(2, 2)]);
    expect([log.checksumAfter(first), log.checksumAfter(second)]).toEqual([post, undefined]);
    expect(log.sizeOf(first)).toBe(bytes.length);
  });
});

describe('LtxLog.open', () => {
  /** Makes a log folder with these files, whatever sense they make. */
  function scatter(
    folder: DisposableTempDir,
    ranges: readonly (readonly [number, number])[],
  ): void {
    mkdirSync(join(folder.path, 'ltx'), { recursive: true });
    for (const [minTxid, maxTxid] of ranges) {
      const path = join(folder.path, 'ltx', ltxFileName(minTxid, maxTxid));
      writeFileSync(path, ltxBytes(minTxid, maxTxid));
    }
  }

  it('removes what a stopped process was writing, and leaves what is not of the log', () => {
    using folder = temporaryFolder();
    scatter(folder, [[1, 1]]);
    writeFileSync(join(folder.path, 'ltx', `${ltxFileName(2, 2)}.tmp`), 'half');
    writeFileSync(join(folder.path, 'ltx', 'notes.txt'), 'of somebody');
    using log = openLog(folder);
    expect(log.lastTxid).toBe(1);
    expect(namesIn(folder)).toEqual([ltxFileName(1, 1), 'notes.txt']);
  });

  it('sets files aside that do not lead up to the newest, and says why', () => {
    using folder = temporaryFolder();
    scatter(folder, [
      [1, 2],
      [4, 4],
      [5, 6],
      [5, 5],
      [7, 9],
    ]);
    using log = openLog(folder);
    expect(rangesOf(log.entries())).toEqual([
      [4, 4],
      [5, 6],
      [7, 9],
    ]);
    const [gap, overlap] = [`${ltxFileName(1, 2)}.gap`, `${ltxFileName(5, 5)}.overlap`];
    const target = join(folder.path, 'ltx.strays');
    expect(log.strays).toEqual([
      { minTxid: 1, maxTxid: 2, reason: 'gap', path: join(target, gap) },
      { minTxid: 5, maxTxid: 5, reason: 'overlap', path: join(target, overlap) },
    ]);
    for (const { path, minTxid, maxTxid } of log.strays) {
      expect(readFileSync(path)).toEqual(Buffer.from(ltxBytes(minTxid, maxTxid)));
    }
  });

  it('reports what was set aside until somebody takes it away, and writes over none of it', () => {
    using folder = temporaryFolder();
    scatter(folder, [
      [1, 1],
      [3, 3],
    ]);
    openLog(folder).close();
    scatter(folder, [[1, 1]]);
    using log = openLog(folder);
    expect(log.strays.map(({ reason, minTxid }) => [reason, minTxid])).toEqual([
      ['gap', 1],
      ['gap', 1],
    ]);
    expect(namesIn(folder, 'ltx.strays')).toEqual([
      `${ltxFileName(1, 1)}.gap`,
      `${ltxFileName(1, 1)}.gap.2`,
    ]);
    for (const { path } of log.strays) nodeFiles.unlinkSync(path);
    using later = openLog(folder);
    expect(later.strays).toEqual([]);
  });

  it('ends with the newest file that is whole', () => {
    const whole = ltxBytes(4, 4);
    const flipped = whole.map((byte, index) => (index === 120 ? byte ^ 1 : byte));
    const badEnds = [
      new Uint8Array(),
      whole.subarray(0, 50),
      whole.subarray(0, -1),
      flipped,
      ltxBytes(5, 5),
    ];
    for (const bytes of badEnds) {
      using folder = temporaryFolder();
      scatter(folder, [
        [1, 1],
        [2, 2],
        [3, 3],
        [4, 4],
        [5, 5],
      ]);
      for (const txid of [4, 5]) {
        writeFileSync(join(folder.path, 'ltx', ltxFileName(txid, txid)), txid === 4 ? bytes : '');
      }
      using log = openLog(folder);
      expect([log.firstTxid, log.lastTxid]).toEqual([1, 3]);
      expect(log.strays.map(({ minTxid, reason }) => [minTxid, reason])).toEqual([
        [4, 'damaged'],
        [5, 'damaged'],
      ]);
      grow(log, 1);
    }
  });

  it('ends before the first damaged file of those that may not have reached the disk', () => {
    using folder = temporaryFolder();
    const ranges = [1, 2, 3, 4, 5].map((txid) => [txid, txid] as const);
    scatter(folder, ranges);
    for (const txid of [2, 4]) writeFileSync(join(folder.path, 'ltx', ltxFileName(txid, txid)), '');
    const options = { sync: 'full' as const, verifiedTxid: 2 };
    using log = LtxLog.open(join(folder.path, 'ltx'), options);
    expect([log.firstTxid, log.lastTxid]).toEqual([1, 3]);
    expect(log.strays.map(({ minTxid, reason }) => [minTxid, reason])).toEqual([
      [4, 'damaged'],
      [5, 'damaged'],
    ]);
  });

  it('can be stopped anywhere without losing a file', () => {
    const files = [
      [1, 1],
      [3, 3],
      [4, 4],
      [4, 5],
      [5, 5],
      [6, 6],
    ] as const;
    for (let callNumber = 1, isDone = false; !isDone; callNumber += 1) {
      using folder = temporaryFolder();
      scatter(folder, files);
      const process = stoppingAt(callNumber);
      process.isArmed = true;
      isDone = isCompleted(process, () => openLog(folder, process.files).close());
      using log = openLog(folder);
      expect(rangesOf(log.entries())).toEqual([
        [3, 3],
        [4, 4],
        [5, 5],
        [6, 6],
      ]);
      expect(rangesOf(log.strays)).toEqual([
        [1, 1],
        [4, 5],
      ]);
    }
  });
});

describe('longestRun', () => {
  const range = fc
    .tuple(fc.integer({ min: 1, max: 12 }), fc.nat(3))
    .map(([minTxid, more]): LogEntry => ({ minTxid, maxTxid: minTxid + more }));

  /** All runs that end with a file, by trying every way back. */
  function runsTo(end: LogEntry, found: readonly LogEntry[]): LogEntry[][] {
    const before = found.filter(({ maxTxid }) => maxTxid === end.minTxid - 1);
    if (before.length === 0) return [[end]];
    return before.flatMap((each) => runsTo(each, found).map((run) => [...run, end]));
  }

  it('reaches back from the newest file as far as any run does', () => {
    fc.assert(
      fc.property(fc.uniqueArray(range, { selector: ltxName, maxLength: 14 }), (ranges) => {
        const found = ranges.sort((a, b) => a.maxTxid - b.maxTxid || b.minTxid - a.minTxid);
        const run = longestRun(found);
        const newest = found.at(-1)?.maxTxid;
        const ends = found.filter(({ maxTxid }) => maxTxid === newest);
        const reaches = ends.flatMap((end) => runsTo(end, found)).map((each) => each[0]?.minTxid);
        expect(run.at(-1)?.maxTxid).toBe(newest);
        expect(run[0]?.minTxid ?? Infinity).toBe(Math.min(...reaches.map((txid) => txid ?? 0)));
        for (const [index, entry] of run.slice(1).entries()) {
          expect(entry.minTxid).toBe((run[index]?.maxTxid ?? 0) + 1);
        }
      }),
    );
  });

  function ltxName({ minTxid, maxTxid }: LogEntry): string {
    return ltxFileName(minTxid, maxTxid);
  }

  it('prefers small files among runs that reach as far', () => {
    const [one, two, both] = [
      [1, 1],
      [2, 2],
      [1, 2],
    ].map(([minTxid = 0, maxTxid = 0]) => {
      return { minTxid, maxTxid };
    });
    expect(longestRun([one, two, both].flatMap((entry) => entry ?? []))).toEqual([one, two]);
  });
});

describe('LtxLog.reset', () => {
  it('leaves an empty log that goes on after the transaction, also when opened again', () => {
    using folder = temporaryFolder();
    {
      using log = openLog(folder);
      grow(log, 1, 1);
      log.reset(100);
      expect([log.firstTxid, log.lastTxid, log.sizeBytes]).toEqual([0, 100, 0]);
      const early = { minTxid: 3, maxTxid: 3 };
      expect(() => append(log, early, [ltxBytes(3, 3)])).toThrow(AssertionError);
    }
    using log = openLog(folder);
    expect([log.firstTxid, log.lastTxid]).toEqual([0, 100]);
    grow(log, 5);
    expect(rangesOf(log.entries())).toEqual([[101, 105]]);
    expect(readdirSync(folder.path)).toEqual(['ltx']);
    using again = openLog(folder);
    expect(again.lastTxid).toBe(105);
  });

  it('keeps the checksum of the state it goes on after, until there is a file', () => {
    using folder = temporaryFolder();
    {
      using log = openLog(folder);
      expect(log.baseChecksum).toBe(undefined);
      log.reset(7, 0x8000_0000_0000_00ffn);
      expect(log.baseChecksum).toBe(0x8000_0000_0000_00ffn);
    }
    using log = openLog(folder);
    expect([log.lastTxid, log.baseChecksum]).toEqual([7, 0x8000_0000_0000_00ffn]);
    grow(log, 1);
    expect(log.baseChecksum).toBe(undefined);
    log.truncateAfter(7, folder.path);
    expect(log.baseChecksum).toBe(undefined);
    log.reset(9);
    expect(log.baseChecksum).toBe(undefined);
  });

  it('leaves the old log or the empty one wherever the process stops', () => {
    const seen = new Set<number>();
    const calls = stopEverywhere(
      (folder) => {
        using log = openLog(folder);
        grow(log, 1, 2, 3);
      },
      (log) => log.reset(100),
      (folder) => {
        using log = openLog(folder);
        seen.add(log.lastTxid);
        expect(log.fileCount).toBe(log.lastTxid === 100 ? 0 : 3);
        expect(log.strays).toEqual([]);
        expect(readdirSync(folder.path)).toEqual(['ltx']);
      },
    );
    expect([...seen]).toEqual([6, 100]);
    expect(calls).toBeGreaterThan(10);
  });
});

describe('LtxLog.removeThrough', () => {
  it('deletes files up to a transaction, but never a part of one or the newest', () => {
    using folder = temporaryFolder();
    using log = openLog(folder);
    grow(log, 1, 3, 2, 1);
    expect(log.removeThrough(3)).toBe(1);
    expect(log.firstTxid).toBe(2);
    expect(log.removeThrough(99)).toBe(2);
    expect(namesIn(folder)).toEqual([ltxFileName(7, 7)]);
    expect(log.sizeBytes).toBe(ltxBytes(7, 7).length);
    expect(log.removeThrough(99)).toBe(0);
  });

  it('leaves a log without gaps wherever the process stops', () => {
    const seen = new Set<number>();
    stopEverywhere(
      (folder) => {
        using log = openLog(folder);
        grow(log, 1, 1, 1, 1);
      },
      (log) => void log.removeThrough(3),
      (folder) => {
        using log = openLog(folder);
        seen.add(log.firstTxid);
        expect([log.lastTxid, log.strays]).toEqual([4, []]);
      },
    );
    expect([...seen]).toEqual([1, 2, 3, 4]);
  });
});

describe('LtxLog.truncateAfter', () => {
  it('moves the files after a transaction, and the one it lies in', () => {
    using folder = temporaryFolder();
    using log = openLog(folder);
    grow(log, 1, 3, 2, 1);
    const target = join(folder.path, 'aside');
    mkdirSync(target);
    expect(rangesOf(log.truncateAfter(6, target))).toEqual([[7, 7]]);
    expect(log.lastTxid).toBe(6);
    expect(rangesOf(log.truncateAfter(3, target))).toEqual([
      [2, 4],
      [5, 6],
    ]);
    expect([log.lastTxid, log.sizeBytes]).toEqual([1, ltxBytes(1, 1).length]);
    expect(namesIn(folder, 'aside')).toEqual(
      [
        [2, 4],
        [5, 6],
        [7, 7],
      ].map(nameOf),
    );
    expect(log.truncateAfter(1, target)).toEqual([]);
    grow(log, 1);
  });

  function nameOf([minTxid = 0, maxTxid = 0]: readonly number[]): string {
    return ltxFileName(minTxid, maxTxid);
  }

  it('of all files leaves an empty log that knows where it ends', () => {
    using folder = temporaryFolder();
    {
      using log = openLog(folder);
      log.reset(10);
      grow(log, 2, 2);
      log.truncateAfter(11, folder.path);
      expect([log.firstTxid, log.lastTxid]).toEqual([0, 10]);
      log.truncateAfter(7, folder.path);
    }
    using log = openLog(folder);
    expect([log.firstTxid, log.lastTxid]).toEqual([0, 7]);
  });

  it('never writes over a file in the target', () => {
    using folder = temporaryFolder();
    using log = openLog(folder);
    grow(log, 1);
    writeFileSync(join(folder.path, ltxFileName(1, 1)), 'of an earlier time');
    expect(() => log.truncateAfter(0, folder.path)).toThrow(AssertionError);
    expect(readFileSync(join(folder.path, ltxFileName(1, 1)), 'utf8')).toBe('of an earlier time');
  });

  it('loses no file and leaves no gap wherever the process stops', () => {
    const seen = new Set<number>();
    stopEverywhere(
      (folder) => {
        using log = openLog(folder);
        log.reset(10);
        grow(log, 1, 1, 1);
        mkdirSync(join(folder.path, 'aside'));
      },
      (log, folder) => void log.truncateAfter(10, join(folder.path, 'aside')),
      (folder) => {
        using log = openLog(folder);
        seen.add(log.lastTxid);
        expect(log.strays).toEqual([]);
        expect(log.fileCount + namesIn(folder, 'aside').length).toBe(3);
        expect(log.fileCount).toBe(log.lastTxid - 10);
      },
    );
    expect([...seen]).toEqual([13, 12, 11, 10]);
  });
});

describe('a log through any sequence of changes', () => {
  const change = fc.oneof(
    { weight: 5, arbitrary: fc.record({ kind: fc.constant('append'), value: fc.nat(2) }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('remove'), value: fc.nat(30) }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('truncate'), value: fc.nat(30) }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('reset'), value: fc.nat(30) }) },
    { weight: 2, arbitrary: fc.record({ kind: fc.constant('reopen'), value: fc.constant(0) }) },
  );

  it('is what a list of ranges would be', () => {
    fc.assert(
      fc.property(fc.array(change, { maxLength: 25 }), (changes) => {
        using folder = temporaryFolder();
        const path = join(folder.path, 'ltx');
        let log = LtxLog.open(path, { sync: 'none' });
        let model: [number, number][] = [];
        let lastTxid = 0;
        for (const [index, { kind, value }] of changes.entries()) {
          if (kind === 'append') {
            model.push([lastTxid + 1, lastTxid + 1 + value]);
            lastTxid += 1 + value;
            grow(log, 1 + value);
          } else if (kind === 'remove') {
            log.removeThrough(value);
            model = model.filter(([, max], at) => max > value || at === model.length - 1);
          } else if (kind === 'truncate') {
            const target = join(folder.path, String(index));
            mkdirSync(target);
            const cut = model.find(([, max]) => max > value);
            lastTxid = Math.min(lastTxid, value, cut === undefined ? Infinity : cut[0] - 1);
            const moved = model.filter(([, max]) => max > value);
            expect(rangesOf(log.truncateAfter(value, target))).toEqual(moved);
            model = model.filter(([, max]) => max <= value);
          } else if (kind === 'reset') {
            log.reset(value);
            [model, lastTxid] = [[], value];
          } else {
            log = LtxLog.open(path, { sync: 'none' });
          }
          expect(rangesOf(log.entries())).toEqual(model);
          expect([log.firstTxid, log.lastTxid]).toEqual([model[0]?.[0] ?? 0, lastTxid]);
          if (index % 2 === 1) expect(log.sizeBytes).toBe(bytesIn(log));
          expect(existsSync(`${path}.strays`)).toBe(false);
        }
        expect(log.sizeBytes).toBe(bytesIn(log));
      }),
      { numRuns: 40 },
    );
  });

  function bytesIn(log: LtxLog): number {
    return log.entries().reduce((sum, entry) => sum + statSync(log.pathOf(entry)).size, 0);
  }
});
