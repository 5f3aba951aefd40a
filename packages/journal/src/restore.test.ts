import {
  copyFileSync,
  existsSync,
  readFileSync,
  readdirSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { describe, expect, it } from 'vitest';
import { TemporaryFolder } from '../test/temporary-folder.ts';
import { writeBackup } from './backup.ts';
import { Journal } from './journal.ts';
import { restoreBackup } from './restore.ts';
import { readRestorePlan, writeRestorePlan } from './restore-plan.ts';

/** A folder whose journal knows one site of that name. */
function folderWith(domain: string): TemporaryFolder {
  const folder = new TemporaryFolder();
  using journal = Journal.open({ folder: folder.path });
  journal.sites.create({ domain, timezone: 'UTC', nowMs: 0 });
  return folder;
}

function domainsOf(folder: TemporaryFolder): readonly string[] {
  using journal = Journal.open({ folder: folder.path });
  return journal.sites.list().map((site) => site.domain);
}

/** A backup of a journal that knows `backup.org`, and a folder that knows `old.org`. */
function scene(): Disposable & { source: string; folder: TemporaryFolder } {
  const origin = folderWith('backup.org');
  const folder = folderWith('old.org');
  const source = origin.file('backup.db');
  writeBackup({ folder: origin.path, target: source });
  return {
    source,
    folder,
    [Symbol.dispose]() {
      origin[Symbol.dispose]();
      folder[Symbol.dispose]();
    },
  };
}

describe('restoring', () => {
  it('into an empty folder needs no leave', () => {
    using given = scene();
    using empty = new TemporaryFolder();
    const restored = restoreBackup({
      source: given.source,
      folder: empty.path,
      isReplacing: false,
    });
    expect(restored).toMatchObject({ asidePath: undefined, facts: { tables: { site: 1 } } });
    expect(domainsOf(empty)).toEqual(['backup.org']);
    expect(readdirSync(empty.path).filter((name) => !name.startsWith('journal.db'))).toEqual([]);
  });

  it('over a journal is refused without leave, and nothing is touched', () => {
    using given = scene();
    const { source, folder } = given;
    const before = readFileSync(folder.file('journal.db'));
    expect(() => restoreBackup({ source, folder: folder.path, isReplacing: false })).toThrow(
      expect.objectContaining({ code: 'journal_exists' }),
    );
    expect(readdirSync(folder.path)).toEqual(['journal.db']);
    expect(readFileSync(folder.file('journal.db'))).toEqual(before);
  });

  it('V2: sets aside what was there, with all it had', () => {
    using given = scene();
    const { source, folder } = given;
    const { asidePath } = restoreBackup({ source, folder: folder.path, isReplacing: true });
    expect(asidePath).toBe(folder.file('quarantine/journal.db.1'));
    expect(domainsOf(folder)).toEqual(['backup.org']);
    restoreBackup({ source: asidePath ?? '', folder: folder.path, isReplacing: true });
    expect(domainsOf(folder)).toEqual(['old.org']);
    expect(existsSync(folder.file('quarantine/journal.db.2'))).toBe(true);
  });

  it('V2: sets a log aside that lost its database, so that it never meets another one', () => {
    using given = scene();
    const { source } = given;
    using folder = new TemporaryFolder();
    writeFileSync(folder.file('journal.db-wal'), 'what a log holds');
    expect(() => restoreBackup({ source, folder: folder.path, isReplacing: false })).toThrow(
      expect.objectContaining({ code: 'journal_exists' }),
    );
    restoreBackup({ source, folder: folder.path, isReplacing: true });
    expect(domainsOf(folder)).toEqual(['backup.org']);
    const aside = folder.file('quarantine/journal.db.1-wal');
    expect(readFileSync(aside, 'utf8')).toBe('what a log holds');
  });

  it('replaces a journal that cannot be read', () => {
    using given = scene();
    const { source, folder } = given;
    writeFileSync(folder.file('journal.db'), 'x'.repeat(9000));
    writeFileSync(folder.file('journal.db-wal'), 'a log');
    restoreBackup({ source, folder: folder.path, isReplacing: true });
    expect(domainsOf(folder)).toEqual(['backup.org']);
    expect(readFileSync(folder.file('quarantine/journal.db.1-wal'), 'utf8')).toBe('a log');
  });

  it('is refused while anybody has the journal open, and nothing is touched', () => {
    using given = scene();
    const { source, folder } = given;
    {
      using journal = Journal.open({ folder: folder.path, readOnly: true });
      expect(journal.sites.list()).toHaveLength(1);
      expect(() => restoreBackup({ source, folder: folder.path, isReplacing: true })).toThrow(
        expect.objectContaining({ code: 'journal_in_use' }),
      );
    }
    expect(readRestorePlan(folder.path)).toBeUndefined();
    expect(domainsOf(folder)).toEqual(['old.org']);
  });

  it.each([
    ['cut short', (path: string) => truncateSync(path, 8192)],
    ['of another program', (path: string) => writeFileSync(path, 'x'.repeat(8192))],
    ['missing', () => undefined],
  ])('refuses a backup that is %s, and nothing is touched', (state, damage) => {
    using given = scene();
    const { source, folder } = given;
    damage(source);
    const path = state === 'missing' ? `${source}.none` : source;
    expect(() => restoreBackup({ source: path, folder: folder.path, isReplacing: true })).toThrow(
      expect.objectContaining({ code: expect.stringMatching(/^journal_(unreadable|missing)$/) }),
    );
    expect(readdirSync(folder.path)).toEqual(['journal.db']);
    expect(domainsOf(folder)).toEqual(['old.org']);
  });

  it('takes the files of a server that was not stopped, with their log', () => {
    using origin = folderWith('first.org');
    using journal = Journal.open({ folder: origin.path });
    journal.sites.create({ domain: 'in-the-log.org', timezone: 'UTC', nowMs: 0 });
    using copies = new TemporaryFolder();
    for (const name of ['journal.db', 'journal.db-wal']) {
      copyFileSync(origin.file(name), copies.file(name));
    }
    using folder = new TemporaryFolder();
    const source = copies.file('journal.db');
    restoreBackup({ source, folder: folder.path, isReplacing: false });
    expect(domainsOf(folder)).toEqual(['first.org', 'in-the-log.org']);
  });

  it('gives the journal an epoch that no follower of the old one or the backup has seen', () => {
    using given = scene();
    const { source, folder } = given;
    const epochs = [0, 1, 2].map(() => {
      restoreBackup({ source, folder: folder.path, isReplacing: true });
      using journal = Journal.open({ folder: folder.path });
      return journal.tail.head().epoch;
    });
    expect(epochs).toEqual([1, 2, 3]);
  });

  it('V3: nobody opens a folder between two states', () => {
    using folder = folderWith('old.org');
    writeRestorePlan(folder.path, { aside: 'journal.db.1' });
    for (const readOnly of [true, false]) {
      expect(() => Journal.open({ folder: folder.path, readOnly })).toThrow(
        expect.objectContaining({ code: 'journal_restoring' }),
      );
    }
  });
});
