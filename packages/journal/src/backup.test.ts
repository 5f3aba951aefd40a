import { readFileSync, readdirSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { sampleEvent, sampleVisit } from '../test/sample-rows.ts';
import { TemporaryFolder } from '../test/temporary-folder.ts';
import { backupSizeBytes, writeBackup } from './backup.ts';
import { inspectCopy } from './database-copy.ts';
import { Journal } from './journal.ts';
import { MIGRATIONS } from './migrations.ts';
import { Salts } from './salts.ts';

function fill(journal: Journal, page = '/'): void {
  journal.transaction(() => {
    const visitId = journal.tail.insertVisit(sampleVisit());
    journal.tail.insertEvent(sampleEvent({ visit_id: visitId, page }));
  });
}

describe('a backup', () => {
  it('V1: holds what was committed before it, also what is only in the log, and counts it', () => {
    using folder = new TemporaryFolder();
    using journal = Journal.open({ folder: folder.path });
    journal.sites.create({ domain: 'a.org', timezone: 'UTC', nowMs: 0 });
    fill(journal);
    const facts = writeBackup({ folder: folder.path, target: folder.file('copy.db') });
    expect(facts).toMatchObject({
      version: MIGRATIONS.length,
      tables: { site: 1, event: 1, visit: 1, user: 0 },
    });
    expect(facts.bytes).toBe(statSync(folder.file('copy.db')).size);
    expect(inspectCopy(folder.file('copy.db'))).toEqual(facts);
  });

  it('V1: does not wait for a transaction under way, and leaves it out', () => {
    using folder = new TemporaryFolder();
    using journal = Journal.open({ folder: folder.path });
    journal.transaction(() => {
      const visitId = journal.tail.insertVisit(sampleVisit());
      journal.tail.insertEvent(sampleEvent({ visit_id: visitId }));
      const { tables } = writeBackup({ folder: folder.path, target: folder.file('copy.db') });
      expect(tables).toMatchObject({ event: 0, visit: 0 });
    });
  });

  it('is one file that only its owner may read', () => {
    using folder = new TemporaryFolder();
    Journal.open({ folder: folder.path }).close();
    writeBackup({ folder: folder.path, target: folder.file('copy.db') });
    expect(readdirSync(folder.path).filter((name) => name.startsWith('copy'))).toEqual(['copy.db']);
    expect(statSync(folder.file('copy.db')).mode & 0o777).toBe(0o600);
  });

  it('V1: holds no salt, and nothing of what was deleted', () => {
    using folder = new TemporaryFolder();
    using journal = Journal.open({ folder: folder.path });
    using salts = Salts.open({ folder: folder.path });
    const salt = Buffer.from(salts.ensure(1, '2026-05-01', 1));
    const site = journal.sites.create({ domain: 'a.org', timezone: 'UTC', nowMs: 0 });
    fill(journal, '/a-page-that-is-deleted');
    journal.sites.remove(site.id, 0);
    while (journal.sites.purgeStep(1000) > 0);
    writeBackup({ folder: folder.path, target: folder.file('copy.db') });
    const bytes = readFileSync(folder.file('copy.db'));
    expect(bytes.includes(salt)).toBe(false);
    expect(bytes.includes('a-page-that-is-deleted')).toBe(false);
  });

  it('overwrites nothing', () => {
    using folder = new TemporaryFolder();
    Journal.open({ folder: folder.path }).close();
    writeFileSync(folder.file('copy.db'), 'mine');
    const again = () => writeBackup({ folder: folder.path, target: folder.file('copy.db') });
    expect(again).toThrow(expect.objectContaining({ code: 'journal_failed' }));
    expect(readFileSync(folder.file('copy.db'), 'utf8')).toBe('mine');
  });

  it('of a folder without a journal is refused, and nothing is made', () => {
    using folder = new TemporaryFolder();
    const target = folder.file('copy.db');
    expect(() => writeBackup({ folder: folder.path, target })).toThrow(
      expect.objectContaining({ code: 'journal_missing' }),
    );
    expect(readdirSync(folder.path)).toEqual([]);
  });

  it('is about as large as said before', () => {
    using folder = new TemporaryFolder();
    using journal = Journal.open({ folder: folder.path });
    for (let count = 0; count < 500; count += 1) fill(journal);
    const estimate = backupSizeBytes(folder.path);
    const { bytes } = writeBackup({ folder: folder.path, target: folder.file('copy.db') });
    expect(bytes / estimate).toBeGreaterThan(0.8);
    expect(bytes / estimate).toBeLessThan(1.2);
  });
});

describe('reading a copy again', () => {
  it.each([
    ['cut short', (path: string) => truncateSync(path, 8192)],
    ['empty', (path: string) => truncateSync(path, 0)],
    ['of another program', (path: string) => writeFileSync(path, 'x'.repeat(8192))],
    ['damaged within', damageMiddle],
  ])('refuses one that is %s and leaves it alone', (_, damage) => {
    using folder = new TemporaryFolder();
    using journal = Journal.open({ folder: folder.path });
    for (let count = 0; count < 300; count += 1) fill(journal);
    const path = folder.file('copy.db');
    writeBackup({ folder: folder.path, target: path });
    damage(path);
    const before = readFileSync(path);
    expect(() => inspectCopy(path)).toThrow(
      expect.objectContaining({
        code: 'journal_unreadable',
        message: expect.stringContaining(path),
      }),
    );
    expect(readFileSync(path)).toEqual(before);
  });
});

/** Writes zeros over every page but the first five. */
function damageMiddle(path: string): void {
  const bytes = readFileSync(path);
  bytes.fill(0, 5 * 4096);
  writeFileSync(path, bytes);
}
