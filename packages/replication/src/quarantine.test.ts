import {
  existsSync,
  mkdirSync,
  mkdtempDisposableSync,
  readdirSync,
  readFileSync,
  writeFileSync,
  type DisposableTempDir,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { AssertionError } from '@tandem/base';
import { describe, expect, it } from 'vitest';
import { Quarantine, type QuarantineCase, type QuarantineReason } from './quarantine.ts';
import { nodeFiles, type FileOperations } from './small-file.ts';

const REASON: QuarantineReason = {
  kind: 'diverged',
  atMs: Date.UTC(2026, 5, 1, 12, 30, 15, 250),
  database: 'app.db',
  epoch: 3,
  minTxid: 16,
  maxTxid: 31,
  reason: 'The node was primary and wrote what no other node received.',
};
const NAME = '20260601T123015Z-app.db-0000000000000003-0000000000000010-000000000000001f';
const COMPANIONS = ['', '-journal', '-wal', '-shm'];

function temporaryFolder(): DisposableTempDir {
  return mkdtempDisposableSync(join(tmpdir(), 'tandem-quarantine-'));
}

function openQuarantine(folder: DisposableTempDir, files: FileOperations = nodeFiles): Quarantine {
  return new Quarantine(join(folder.path, 'quarantine'), { files });
}

/** Makes a database with all its companions; each file holds its suffix. */
function makeDatabase(folder: DisposableTempDir): string {
  const path = join(folder.path, 'app.db');
  for (const suffix of COMPANIONS) writeFileSync(path + suffix, `content${suffix}`);
  return path;
}

function namesIn(folder: string): string[] {
  return readdirSync(folder).sort();
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

/** A file system on which the quarantine is another disk than the rest. */
function twoDisks(onCall: (name: string) => void = () => undefined): FileOperations {
  return watched((name, [from, to]) => {
    onCall(name);
    const isThere = (path: unknown): boolean => String(path).includes('/quarantine/');
    if (name === 'renameSync' && isThere(from) !== isThere(to)) throw errno('EXDEV');
  });
}

describe('Quarantine', () => {
  it('names a folder by date, database, epoch and transactions, and says why in it', () => {
    using folder = temporaryFolder();
    const quarantine = openQuarantine(folder);
    const made = quarantine.open(REASON);
    expect(made).toEqual({ ...REASON, folder: join(folder.path, 'quarantine', NAME) });
    const why: unknown = JSON.parse(readFileSync(join(made.folder, 'why.json'), 'utf8'));
    expect(why).toEqual({ ...REASON, pending: [] });
    expect(namesIn(made.folder)).toEqual(['why.json']);
  });

  it('gives each case its own folder, whatever the name', () => {
    using folder = temporaryFolder();
    const quarantine = openQuarantine(folder);
    const folders = [1, 2, 3].map(() => basename(quarantine.open(REASON).folder));
    expect(folders).toEqual([NAME, `${NAME}.2`, `${NAME}.3`]);
    const deep = quarantine.open({ ...REASON, database: '../sites/blog.db' });
    expect(namesIn(quarantine.folder)).toContain(basename(deep.folder));
    expect(basename(deep.folder)).toContain('-..%2Fsites%2Fblog.db-');
    const long = quarantine.open({ ...REASON, database: 'ü'.repeat(200) });
    expect(namesIn(quarantine.folder)).toContain(basename(long.folder));
    expect(quarantine.list().map(({ database }) => database)).toContain('ü'.repeat(200));
  });

  it('moves files under their names and writes over none', () => {
    using folder = temporaryFolder();
    const quarantine = openQuarantine(folder);
    const made = quarantine.open(REASON);
    const path = join(folder.path, 'one.ltx');
    writeFileSync(path, 'first');
    quarantine.moveFiles(made, [path]);
    expect(existsSync(path)).toBe(false);
    writeFileSync(path, 'second');
    expect(() => quarantine.moveFiles(made, [path])).toThrow(AssertionError);
    expect(readFileSync(join(made.folder, 'one.ltx'), 'utf8')).toBe('first');
    expect(readFileSync(path, 'utf8')).toBe('second');
  });

  it('keeps bytes that were in no file', () => {
    using folder = temporaryFolder();
    const quarantine = openQuarantine(folder);
    const made = quarantine.open(REASON);
    quarantine.writeBytes(made, 'foreign.ltx', Uint8Array.of(1, 2, 3));
    expect([...readFileSync(join(made.folder, 'foreign.ltx'))]).toEqual([1, 2, 3]);
    for (const name of ['foreign.ltx', 'why.json', '../foreign.ltx']) {
      expect(() => quarantine.writeBytes(made, name, Uint8Array.of(4))).toThrow(AssertionError);
    }
  });

  it('lists its cases, the oldest first, and nothing else', () => {
    using folder = temporaryFolder();
    const quarantine = openQuarantine(folder);
    expect(quarantine.list()).toEqual([]);
    const late = quarantine.open({ ...REASON, atMs: REASON.atMs + 1000, database: 'a' });
    const early = quarantine.open({ ...REASON, database: 'b' });
    mkdirSync(join(quarantine.folder, 'of somebody'));
    writeFileSync(join(quarantine.folder, 'notes.txt'), 'text');
    expect(quarantine.list()).toEqual([early, late]);
  });

  it('names a why.json that is damaged', () => {
    using folder = temporaryFolder();
    const quarantine = openQuarantine(folder);
    const made = quarantine.open(REASON);
    for (const text of ['', '{}', 'null', JSON.stringify({ ...REASON, pending: [1] })]) {
      writeFileSync(join(made.folder, 'why.json'), text);
      expect(() => quarantine.list()).toThrow(
        expect.objectContaining({
          code: 'state_damaged',
          message: expect.stringContaining(made.folder),
        }),
      );
    }
  });

  it('says that the disk is full', () => {
    using folder = temporaryFolder();
    const files = watched((name) => {
      if (name === 'mkdirSync') throw errno('ENOSPC');
    });
    expect(() => openQuarantine(folder, files).open(REASON)).toThrow(
      expect.objectContaining({ code: 'disk_full' }),
    );
  });
});

describe('Quarantine.moveDatabase', () => {
  /** True when all of the database is in the case, unharmed, and nothing of it is elsewhere. */
  function hasMoved(made: QuarantineCase, path: string): boolean {
    expect(namesIn(made.folder)).toEqual([
      'app.db',
      'app.db-journal',
      'app.db-shm',
      'app.db-wal',
      'why.json',
    ]);
    return COMPANIONS.every((suffix) => {
      const content = readFileSync(join(made.folder, `app.db${suffix}`), 'utf8');
      return !existsSync(path + suffix) && content === `content${suffix}`;
    });
  }

  it('moves a database with all that belongs to it', () => {
    using folder = temporaryFolder();
    const path = makeDatabase(folder);
    const quarantine = openQuarantine(folder);
    const made = quarantine.open(REASON);
    quarantine.moveDatabase(made, path);
    expect(hasMoved(made, path)).toBe(true);
    quarantine.finishMoves();
    expect(hasMoved(made, path)).toBe(true);
  });

  it('moves what there is', () => {
    using folder = temporaryFolder();
    const quarantine = openQuarantine(folder);
    const made = quarantine.open(REASON);
    const path = join(folder.path, 'app.db');
    quarantine.moveDatabase(made, path);
    writeFileSync(path, 'alone');
    quarantine.moveDatabase(made, path);
    expect(namesIn(made.folder)).toEqual(['app.db', 'why.json']);
  });

  it('copies to another disk', () => {
    using folder = temporaryFolder();
    const path = makeDatabase(folder);
    const quarantine = openQuarantine(folder, twoDisks());
    const made = quarantine.open(REASON);
    quarantine.moveDatabase(made, path);
    expect(hasMoved(made, path)).toBe(true);
  });

  it('leaves no half copy when the other disk is full', () => {
    using folder = temporaryFolder();
    const path = makeDatabase(folder);
    const files = twoDisks((name) => {
      if (name === 'fsyncSync' && existsSync(join(quarantine.folder, NAME, 'app.db.tmp'))) {
        throw errno('ENOSPC');
      }
    });
    const quarantine = openQuarantine(folder, files);
    const made = quarantine.open(REASON);
    expect(() => quarantine.moveDatabase(made, path)).toThrow(
      expect.objectContaining({ code: 'disk_full' }),
    );
    expect(readFileSync(path, 'utf8')).toBe('content');
    expect(namesIn(made.folder)).toEqual(['why.json']);
    openQuarantine(folder).finishMoves();
    expect(hasMoved(made, path)).toBe(true);
  });

  it.each([
    ['one disk', watched],
    ['two disks', twoDisks],
  ])('is completed at the next start wherever the process stops, on %s', (_, disks) => {
    let stopped = 0;
    for (let isDone = false; !isDone; stopped += 1) {
      using folder = temporaryFolder();
      const path = makeDatabase(folder);
      const made = openQuarantine(folder).open(REASON);
      let count = 0;
      const files = disks(() => {
        count += 1;
        if (count > stopped) throw new Error('stopped');
      });
      try {
        openQuarantine(folder, files).moveDatabase(made, path);
        isDone = true;
      } catch (error) {
        expect(error).toHaveProperty('message', 'stopped');
      }
      const quarantine = openQuarantine(
        folder,
        disks(() => undefined),
      );
      quarantine.finishMoves();
      // Stopped before the list of moves was kept: nothing has moved, and the caller begins anew.
      if (existsSync(path)) quarantine.moveDatabase(made, path);
      expect(hasMoved(made, path)).toBe(true);
    }
    expect(stopped).toBeGreaterThan(12);
  });

  it('is never completed with a database that was made in the place of the old one', () => {
    using folder = temporaryFolder();
    const path = makeDatabase(folder);
    const made = openQuarantine(folder).open(REASON);
    let renamed = 0;
    const files = watched((name) => {
      renamed += name === 'renameSync' ? 1 : 0;
      if (renamed > 2) throw new Error('stopped');
    });
    expect(() => openQuarantine(folder, files).moveDatabase(made, path)).toThrow('stopped');
    expect(namesIn(made.folder)).toContain('app.db');
    writeFileSync(path, 'of a new cluster');
    openQuarantine(folder).finishMoves();
    expect(readFileSync(path, 'utf8')).toBe('of a new cluster');
    expect(existsSync(`${path}-wal`)).toBe(false);
    expect(readFileSync(join(made.folder, 'app.db-wal'), 'utf8')).toBe('content-wal');
  });
});
