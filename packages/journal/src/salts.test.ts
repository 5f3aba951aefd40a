import { mkdirSync, readFileSync, readdirSync, utimesSync, writeFileSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { TemporaryFolder } from '../test/temporary-folder.ts';
import { Salts } from './salts.ts';

describe('Salts', () => {
  it('S1: makes a salt once for a site and date, for every connection', () => {
    using folder = new TemporaryFolder();
    using first = Salts.open({ folder: folder.path });
    using second = Salts.open({ folder: folder.path });
    expect(first.notice).toBeUndefined();
    expect(second.saltOf(1, '2026-01-01')).toBeUndefined();
    const salt = first.ensure(1, '2026-01-01', 100);
    expect(salt).toHaveLength(32);
    expect(second.ensure(1, '2026-01-01', 900)).toEqual(salt);
    expect(second.saltOf(1, '2026-01-01')).toEqual(salt);
    const others = first.ensureAll([
      { siteId: 1, date: '2026-01-02', expiresMs: 100 },
      { siteId: 2, date: '2026-01-01', expiresMs: 100 },
      { siteId: 1, date: '2026-01-01', expiresMs: 100 },
    ]);
    expect(others[2]).toEqual(salt);
    expect(new Set(others.map((bytes) => Buffer.from(bytes).toString('hex'))).size).toBe(3);
    expect(others[0]).toEqual(second.saltOf(1, '2026-01-02'));
  });

  it('keeps salts over openings and destroys them at their time or with their site', () => {
    using folder = new TemporaryFolder();
    const salt = (() => {
      using salts = Salts.open({ folder: folder.path });
      salts.ensure(2, '2026-01-01', 300);
      salts.ensure(2, '2026-01-02', 300);
      salts.ensure(3, '2026-01-01', 300);
      return salts.ensure(1, '2026-01-01', 200);
    })();
    using salts = Salts.open({ folder: folder.path });
    expect(salts.saltOf(1, '2026-01-01')).toEqual(salt);
    expect(salts.destroyExpired(199)).toBe(0);
    expect(salts.destroyExpired(200)).toBe(1);
    expect(salts.saltOf(1, '2026-01-01')).toBeUndefined();
    expect(salts.destroyOf(2)).toBe(2);
    expect(salts.saltOf(3, '2026-01-01')).toHaveLength(32);
    expect(salts.ensure(1, '2026-01-01', 400)).not.toEqual(salt);
  });

  it('S2: a destroyed salt is in no file of the folder', () => {
    const expiry = fc.integer({ min: 0, max: 9 });
    fc.assert(
      fc.property(
        fc.array(expiry, { minLength: 100, maxLength: 400 }),
        expiry,
        (expiries, nowMs) => {
          using folder = new TemporaryFolder();
          using salts = Salts.open({ folder: folder.path });
          const made = salts.ensureAll(
            expiries.map((expiresMs, index) => ({
              siteId: index + 1,
              date: '2026-01-01',
              expiresMs,
            })),
          );
          const stored = () =>
            readdirSync(folder.path)
              .map((name) => readFileSync(folder.file(name)).toString('latin1'))
              .join('');
          const isIn = (bytes: string, salt: Uint8Array) =>
            bytes.includes(Buffer.from(salt).toString('latin1'));
          const before = stored();
          expect(made.every((salt) => isIn(before, salt))).toBe(true);
          salts.destroyExpired(nowMs);
          const after = stored();
          expect(made.map((salt) => isIn(after, salt))).toEqual(
            expiries.map((expiresMs) => expiresMs > nowMs),
          );
          expect(readdirSync(folder.path)).toEqual(['salts.db']);
        },
      ),
      { numRuns: 8 },
    );
  });
});

describe('Salts.open', () => {
  const unreadable: readonly [string, (path: string) => void][] = [
    ['a text', (path) => writeFileSync(path, 'no database at all, but long enough. '.repeat(40))],
    [
      'half a database',
      (path) => {
        using database = new DatabaseSync(path);
        database.exec('CREATE TABLE salt (a); INSERT INTO salt VALUES (zeroblob(20000))');
        writeFileSync(path, readFileSync(path).subarray(0, 5000));
      },
    ],
    [
      'a damaged page',
      (path) => {
        using database = new DatabaseSync(path);
        database.exec('CREATE TABLE other (a); INSERT INTO other VALUES (1)');
        writeFileSync(path, readFileSync(path).fill(255, 4096));
      },
    ],
    [
      'a table of another kind',
      (path) => {
        using database = new DatabaseSync(path);
        database.exec('CREATE TABLE salt (a)');
      },
    ],
  ];

  it.each(unreadable)('S3: sets aside %s and begins anew', (_, spoil) => {
    using folder = new TemporaryFolder();
    spoil(folder.file('salts.db'));
    writeFileSync(folder.file('salts.db-journal'), 'left over');
    const spoilt = readFileSync(folder.file('salts.db'));
    using salts = Salts.open({ folder: folder.path });
    expect(salts.notice).toContain('quarantine');
    expect(readFileSync(folder.file('quarantine/salts.db.1')).equals(spoilt)).toBe(true);
    expect(salts.ensure(1, '2026-01-01', 5)).toHaveLength(32);
    salts.close();
    using again = Salts.open({ folder: folder.path });
    expect(again.notice).toBeUndefined();
    expect(again.saltOf(1, '2026-01-01')).toHaveLength(32);
  });

  it('S3: what was set aside is deleted 48 hours after it was last written', () => {
    using folder = new TemporaryFolder();
    mkdirSync(folder.file('quarantine'));
    const names = ['salts.db.1', 'salts.db.2', 'salts.db.1-journal', 'journal.db.1'];
    for (const name of names) writeFileSync(folder.file(`quarantine/${name}`), 'x');
    const dayMs = 86_400_000;
    for (const name of names.filter((name) => name !== 'salts.db.2')) {
      utimesSync(folder.file(`quarantine/${name}`), 0, 10 * 86_400);
    }
    utimesSync(folder.file('quarantine/salts.db.2'), 0, 11 * 86_400);
    using salts = Salts.open({ folder: folder.path });
    salts.destroyExpired(12 * dayMs + 1);
    expect(readdirSync(folder.file('quarantine')).sort()).toEqual(['journal.db.1', 'salts.db.2']);
  });

  it('does not take a missing folder for an unreadable file', () => {
    using folder = new TemporaryFolder();
    expect(() => Salts.open({ folder: folder.file('nowhere') })).toThrow(
      expect.objectContaining({ code: 'journal_failed' }),
    );
  });
});
