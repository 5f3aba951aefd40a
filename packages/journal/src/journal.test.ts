import {
  closeSync,
  copyFileSync,
  ftruncateSync,
  openSync,
  readFileSync,
  writeFileSync,
} from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { AssertionError } from '@tandem/base';
import { describe, expect, it } from 'vitest';
import { sampleEvent, sampleVisit } from '../test/sample-rows.ts';
import { TemporaryFolder } from '../test/temporary-folder.ts';
import { Connection } from './connection.ts';
import { Journal } from './journal.ts';
import { migrate } from './migrate.ts';
import { Tail } from './tail.ts';

const withCode = (code: string) => expect.objectContaining({ code });
const UTC_SITE = { timezone: 'UTC', nowMs: 0 };

/** Changes the file without the journal's rules. */
function tamper(folder: TemporaryFolder, sql: string): void {
  using database = new DatabaseSync(folder.file('journal.db'));
  database.exec(sql);
}

describe('Journal.open', () => {
  it('J3: makes a database that can shrink and is written ahead, and syncs each commit', () => {
    using folder = new TemporaryFolder();
    using journal = Journal.open({ folder: folder.path });
    expect(journal.configurationVersion()).toBe(0);
    using database = new DatabaseSync(folder.file('journal.db'), { readOnly: true });
    const pragma = (name: string) => Object.values(database.prepare(`PRAGMA ${name}`).get() ?? {});
    expect(pragma('journal_mode')).toEqual(['wal']);
    expect(pragma('auto_vacuum')).toEqual([2]);
    expect(pragma('foreign_key_check')).toEqual([]);
  });

  it('refuses a newer database and names both versions', () => {
    using folder = new TemporaryFolder();
    Journal.open({ folder: folder.path }).close();
    tamper(folder, 'PRAGMA user_version = 999');
    const before = readFileSync(folder.file('journal.db'));
    for (const readOnly of [false, true]) {
      expect(() => Journal.open({ folder: folder.path, readOnly })).toThrow(
        expect.objectContaining({
          code: 'journal_newer',
          message: expect.stringContaining('999'),
          hint: expect.stringMatching(/./),
        }),
      );
    }
    expect(readFileSync(folder.file('journal.db')).equals(before)).toBe(true);
  });

  it('refuses what is no journal and leaves it as it was', () => {
    using folder = new TemporaryFolder();
    writeFileSync(folder.file('journal.db'), 'This is a text, and a rather long one. '.repeat(50));
    const before = readFileSync(folder.file('journal.db'));
    expect(() => Journal.open({ folder: folder.path })).toThrow(withCode('journal_unreadable'));
    expect(readFileSync(folder.file('journal.db')).equals(before)).toBe(true);
  });

  it("refuses another program's database and leaves it as it was", () => {
    using folder = new TemporaryFolder();
    tamper(folder, 'CREATE TABLE recipe (title TEXT)');
    const before = readFileSync(folder.file('journal.db'));
    expect(() => Journal.open({ folder: folder.path })).toThrow(withCode('journal_unreadable'));
    expect(readFileSync(folder.file('journal.db')).equals(before)).toBe(true);
  });

  it('refuses a half-copied database', () => {
    using folder = new TemporaryFolder();
    {
      using journal = Journal.open({ folder: folder.path });
      journal.checkpoint();
    }
    const file = openSync(folder.file('journal.db'), 'r+');
    ftruncateSync(file, 3 * 4096);
    closeSync(file);
    expect(() => Journal.open({ folder: folder.path })).toThrow(withCode('journal_unreadable'));
  });

  it('takes an empty file for a new database', () => {
    using folder = new TemporaryFolder();
    writeFileSync(folder.file('journal.db'), '');
    using journal = Journal.open({ folder: folder.path });
    expect(journal.sites.list()).toEqual([]);
  });

  it('refuses a log whose database is missing or empty, and leaves the log as it was', () => {
    using folder = new TemporaryFolder();
    const log = Buffer.from('what was committed last');
    writeFileSync(folder.file('journal.db-wal'), log);
    const refused = () => Journal.open({ folder: folder.path });
    expect(refused).toThrow(withCode('journal_unreadable'));
    writeFileSync(folder.file('journal.db'), '');
    expect(refused).toThrow(
      /journal\.db is missing or empty, but its log \S+journal\.db-wal is there/,
    );
    expect(readFileSync(folder.file('journal.db-wal'))).toEqual(log);
    writeFileSync(folder.file('journal.db-wal'), '');
    expect(refused).not.toThrow();
  });

  it('says what is wrong with a folder that is not there', () => {
    using folder = new TemporaryFolder();
    expect(() => Journal.open({ folder: folder.file('nowhere') })).toThrow(
      expect.objectContaining({ code: 'journal_failed', hint: expect.stringMatching(/folder/) }),
    );
  });

  it('read-only: reads beside a writer, creates nothing, writes nothing, migrates nothing', () => {
    using folder = new TemporaryFolder();
    const open = () => Journal.open({ folder: folder.path, readOnly: true });
    expect(open).toThrow(withCode('journal_failed'));
    writeFileSync(folder.file('journal.db'), '');
    expect(open).toThrow(withCode('journal_older'));
    using journal = Journal.open({ folder: folder.path });
    using reader = open();
    journal.sites.create({ domain: 'a.org', ...UTC_SITE });
    expect(reader.sites.list()).toHaveLength(1);
    expect(() => reader.sites.remove(1, 0)).toThrow(withCode('journal_failed'));
  });
});

describe('Journal.transaction', () => {
  it('J2: keeps nothing of what throws, and goes on', () => {
    using folder = new TemporaryFolder();
    using journal = Journal.open({ folder: folder.path });
    expect(() =>
      journal.transaction(() => {
        journal.sites.create({ domain: 'a.org', ...UTC_SITE });
        journal.sites.create({ domain: 'a.org', ...UTC_SITE });
      }),
    ).toThrow(withCode('site_exists'));
    expect(journal.sites.list()).toEqual([]);
    expect(
      journal.transaction(() => journal.sites.create({ domain: 'a.org', ...UTC_SITE }).id),
    ).toBe(1);
  });

  it('does not nest and does not wait', () => {
    using folder = new TemporaryFolder();
    using journal = Journal.open({ folder: folder.path });
    const nested = () => journal.transaction(() => journal.transaction(() => 1));
    expect(nested).toThrow(AssertionError);
    const site = { domain: 'a.org', ...UTC_SITE };
    expect(() =>
      journal.transaction(() => {
        journal.sites.create(site);
        return Promise.resolve();
      }),
    ).toThrow(AssertionError);
    expect(journal.sites.list()).toEqual([]);
  });

  it('a snapshot sees one state and takes no writes', () => {
    using folder = new TemporaryFolder();
    using reader = Journal.open({ folder: folder.path });
    using writer = Journal.open({ folder: folder.path });
    const counts = reader.snapshot(() => {
      const before = reader.sites.list().length;
      writer.sites.create({ domain: 'a.org', ...UTC_SITE });
      return [before, reader.sites.list().length];
    });
    expect(counts).toEqual([0, 0]);
    expect(reader.sites.list()).toHaveLength(1);
    expect(() =>
      reader.snapshot(() => reader.sites.create({ domain: 'b.org', ...UTC_SITE })),
    ).toThrow(AssertionError);
  });
});

describe('Journal.configurationVersion', () => {
  it('J9: rises with each change of configuration by any connection, and with nothing else', () => {
    using folder = new TemporaryFolder();
    using journal = Journal.open({ folder: folder.path });
    using observer = Journal.open({ folder: folder.path });
    const { sites, goals, users, keys, settings, sessions, tail, drops } = journal;
    const rises = (change: () => unknown) => {
      const before = observer.configurationVersion();
      change();
      return observer.configurationVersion() > before;
    };
    const changes = [
      () => sites.create({ domain: 'a.org', ...UTC_SITE }),
      () => sites.update(1, { timezone: 'Europe/Berlin' }),
      () => goals.create({ siteId: 1, kind: 'event', eventName: 'x' }),
      () => goals.remove(1, 1),
      () => users.create({ name: 'a', passwordHash: 'h', nowMs: 0 }),
      () => users.setPasswordHash(1, 'i'),
      () => keys.create({ name: 'k', scopes: [], nowMs: 0 }),
      () => keys.revoke(1),
      () => settings.set('a', '1'),
      () => settings.set('a', '2'),
      () => settings.delete('a'),
      () => sites.remove(1, 0),
    ];
    expect(changes.map(rises)).toEqual(changes.map(() => true));
    const others = [
      () => sessions.create({ userId: 1, nowMs: 0, expiresMs: 1 }),
      () => tail.insertVisit(sampleVisit()),
      () => tail.insertEvent(sampleEvent()),
      () => drops.add([{ siteId: 1, date: '2026-01-01', reason: 'bot', count: 1 }]),
    ];
    expect(others.map(rises)).toEqual(others.map(() => false));
    expect(rises(() => users.remove(1))).toBe(true);
  });
});

describe('a disk that is full', () => {
  it('J2: rolls the transaction back, says so, and takes writes when there is space again', () => {
    using folder = new TemporaryFolder();
    const connection = new Connection({ path: folder.file('journal.db'), readOnly: false });
    migrate(connection, () => undefined);
    const tail = new Tail(connection);
    const visit_id = tail.insertVisit(sampleVisit());
    const write = (eventCount: number) =>
      connection.transaction(() => {
        const [visit] = tail.visitsOf(1, [7n], { fromMs: 0, toMs: 9000 });
        tail.updateVisit({ ...sampleVisit(), id: visit_id, events: (visit?.events ?? 0) + 1 });
        for (let count = 0; count < eventCount; count += 1) {
          tail.insertEvent(sampleEvent({ visit_id, page: '/long'.repeat(100) }));
        }
      });
    const before = tail.readVisits(0, 10);
    const pageCount = connection.readInteger('page_count');
    connection.execute(`PRAGMA max_page_count = ${pageCount}`);
    expect(() => write(1000)).toThrow(
      expect.objectContaining({ code: 'journal_full', retryable: true }),
    );
    expect(connection.inTransaction).toBe(false);
    expect([tail.readVisits(0, 10), tail.readEvents(0, 10)]).toEqual([before, []]);
    connection.execute('PRAGMA max_page_count = 100000');
    write(1000);
    expect(tail.readEvents(0, 10_000)).toHaveLength(1000);
    expect(tail.readVisits(0, 10)[0]?.[6]).toBe(2);
    connection.close();
  });
});

describe('a database that is locked', () => {
  it('is told apart from one that fails', () => {
    using folder = new TemporaryFolder();
    Journal.open({ folder: folder.path }).close();
    using holder = new DatabaseSync(folder.file('journal.db'));
    holder.exec('BEGIN IMMEDIATE');
    const connection = new Connection({ path: folder.file('journal.db'), readOnly: false });
    connection.execute('PRAGMA busy_timeout = 0');
    expect(() => connection.transaction(() => 1)).toThrow(
      expect.objectContaining({ code: 'journal_busy', retryable: true }),
    );
    holder.exec('COMMIT');
    expect(connection.transaction(() => 1)).toBe(1);
    connection.close();
  });
});

describe('Journal.checkpoint', () => {
  it('leaves everything in the one file', () => {
    using folder = new TemporaryFolder();
    using copy = new TemporaryFolder();
    using journal = Journal.open({ folder: folder.path });
    journal.sites.create({ domain: 'a.org', ...UTC_SITE });
    journal.checkpoint();
    copyFileSync(folder.file('journal.db'), copy.file('journal.db'));
    using copied = Journal.open({ folder: copy.path });
    expect(copied.sites.list()).toHaveLength(1);
  });
});
