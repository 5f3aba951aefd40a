import {
  mkdtempDisposableSync,
  readdirSync,
  readFileSync,
  writeFileSync,
  type DisposableTempDir,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ReplicationError } from './replication-error.ts';
import { nodeFiles, replaceFile, SmallFile, type FileOperations } from './small-file.ts';

const HINT = 'Move it away.';

function parseCount(value: unknown): { readonly count: number } {
  const { count } = Object(value) as { count?: unknown };
  if (typeof count !== 'number') throw new TypeError('it has no count');
  return { count };
}

function countFile(
  folder: string,
  files: FileOperations = nodeFiles,
): SmallFile<{ count: number }> {
  return new SmallFile({ path: join(folder, 'count.json'), parse: parseCount, hint: HINT, files });
}

function temporaryFolder(): DisposableTempDir {
  return mkdtempDisposableSync(join(tmpdir(), 'tandem-small-file-'));
}

/** The file system, with `onCall` before each call. */
function watched(onCall: (name: string, count: number) => void): FileOperations {
  let count = 0;
  return new Proxy(nodeFiles, {
    get(target, name) {
      const operation: unknown = Reflect.get(target, name);
      if (typeof operation !== 'function') return operation;
      return (...parameters: unknown[]): unknown => {
        count += 1;
        onCall(String(name), count);
        return Reflect.apply(operation, undefined, parameters);
      };
    },
  });
}

function errno(code: string): Error {
  return Object.assign(new Error(code), { code, errno: -1 });
}

function errorOf(action: () => unknown): unknown {
  try {
    return action();
  } catch (error) {
    return error;
  }
}

describe('SmallFile', () => {
  it('has no value before the first one', () => {
    using folder = temporaryFolder();
    expect(countFile(folder.path).read()).toBeUndefined();
  });

  it('holds the value that replaced the others', () => {
    using folder = temporaryFolder();
    countFile(folder.path).replace({ count: 1 });
    countFile(folder.path).replace({ count: 2 });
    expect(countFile(folder.path).read()).toEqual({ count: 2 });
    expect(readFileSync(join(folder.path, 'count.json'), 'utf8')).toBe('{\n  "count": 2\n}\n');
    expect(readdirSync(folder.path)).toEqual(['count.json']);
  });

  it('says of a damaged file what it is, where, and what to do', () => {
    using folder = temporaryFolder();
    const path = join(folder.path, 'count.json');
    for (const text of ['', '{', '{"count": "1"}', 'null', ' '.repeat(5_000_000)]) {
      writeFileSync(path, text);
      const error = errorOf(() => countFile(folder.path).read());
      expect(error).toBeInstanceOf(ReplicationError);
      expect(error).toMatchObject({ code: 'state_damaged', hint: HINT });
      expect(String(error)).toContain(path);
    }
  });

  it('is read as it was while another value is half written, and forgets the half', () => {
    using folder = temporaryFolder();
    const file = countFile(folder.path);
    file.replace({ count: 1 });
    writeFileSync(`${file.path}.tmp`, '{"co');
    expect(file.read()).toEqual({ count: 1 });
    file.removeLeftover();
    expect(readdirSync(folder.path)).toEqual(['count.json']);
    file.removeLeftover();
  });

  it('holds the old value or the new one wherever the process stops', () => {
    const seen = new Set<number | undefined>();
    let stopAt = 0;
    for (let isDone = false; !isDone; stopAt += 1) {
      using folder = temporaryFolder();
      countFile(folder.path).replace({ count: 1 });
      let isStopped = false;
      const files = watched((_, count) => {
        isStopped ||= count === stopAt + 1;
        if (isStopped) throw new Error('stopped');
      });
      isDone =
        errorOf(() => {
          countFile(folder.path, files).replace({ count: 2 });
          return 'done';
        }) === 'done';
      const file = countFile(folder.path);
      seen.add(file.read()?.count);
      file.replace({ count: 3 });
      expect(file.read()).toEqual({ count: 3 });
      expect(readdirSync(folder.path)).toEqual(['count.json']);
    }
    expect([...seen]).toEqual([1, 2]);
    expect(stopAt).toBeGreaterThan(6);
  });

  it('keeps the old value and nothing else when the disk is full', () => {
    for (const call of ['openSync', 'writeFileSync', 'fsyncSync', 'renameSync']) {
      using folder = temporaryFolder();
      countFile(folder.path).replace({ count: 1 });
      const files = watched((name) => {
        if (name === call) throw errno('ENOSPC');
      });
      const error = errorOf(() => countFile(folder.path, files).replace({ count: 2 }));
      expect(error).toMatchObject({ code: 'disk_full', retryable: true });
      expect(error).toHaveProperty('hint', expect.stringContaining(folder.path));
      expect(countFile(folder.path).read()).toEqual({ count: 1 });
      expect(readdirSync(folder.path)).toEqual(['count.json']);
    }
  });

  it('syncs the new content before it takes the name, and the name after that', () => {
    using folder = temporaryFolder();
    const calls: string[] = [];
    replaceFile(
      join(folder.path, 'file'),
      'text',
      watched((name) => void calls.push(name)),
    );
    const ofTheFile = 'openSync writeFileSync fsyncSync closeSync renameSync';
    expect(calls.join(' ')).toBe(`${ofTheFile} openSync fsyncSync closeSync`);
  });

  it('passes on what is no failure of the file system', () => {
    using folder = temporaryFolder();
    const broken = new TypeError('broken');
    const files = watched(() => {
      throw broken;
    });
    expect(errorOf(() => countFile(folder.path, files).read())).toBe(broken);
  });

  it('tells a folder it may not write in from a failing disk', () => {
    using folder = temporaryFolder();
    const hintFor = (code: string): unknown => {
      const files = watched((name) => {
        if (name === 'openSync') throw errno(code);
      });
      const error = errorOf(() => countFile(folder.path, files).replace({ count: 2 }));
      expect(error).toHaveProperty('code', 'state_failed');
      return error instanceof ReplicationError ? error.hint : undefined;
    };
    expect(hintFor('EROFS')).toContain('writable for the user');
    expect(hintFor('EIO')).toContain("kernel's log");
  });
});
