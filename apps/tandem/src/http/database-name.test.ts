import { expect, it } from 'vitest';
import { parseDatabaseName } from './database-name.ts';

it('a database is named by its path below the folder', () => {
  for (const name of ['app.db', 'tenants/a.db', 'Über uns.sqlite', 'a-walnut', '日本.db']) {
    expect(parseDatabaseName(name)).toBe(name);
  }
});

it('a name that leads elsewhere, hides or belongs to another file is refused', () => {
  for (const name of [
    '',
    '/etc/passwd',
    'a/',
    'a//b',
    '..',
    'a/../b',
    '.hidden',
    'a/.b',
    'a\\b',
    'a\0b',
    'a\u007Fb',
    'app.db-wal',
    'app.db-shm',
    'app.db-journal',
    'app.db-pos',
    'x'.repeat(256),
    'é'.repeat(128),
    'abc/'.repeat(200),
  ]) {
    expect(() => parseDatabaseName(name)).toThrow('A database cannot have this name');
  }
});
