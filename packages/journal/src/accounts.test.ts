import { DatabaseSync } from 'node:sqlite';
import { describe, expect, it } from 'vitest';
import { TemporaryFolder } from '../test/temporary-folder.ts';
import { Journal } from './journal.ts';

const withCode = (code: string) => expect.objectContaining({ code });

/** Everything in the database file and its log, as one string of bytes. */
function storedBytes(folder: TemporaryFolder): string {
  using database = new DatabaseSync(folder.file('journal.db'));
  return Buffer.from(database.serialize()).toString('latin1');
}

describe('Users', () => {
  it('finds a user by name whatever the case, with the hash only there', () => {
    using folder = new TemporaryFolder();
    using journal = Journal.open({ folder: folder.path });
    expect(journal.users.count()).toBe(0);
    const ada = journal.users.create({ name: 'Ada', passwordHash: 'h1', nowMs: 3 });
    expect(ada).toEqual({ id: 1, name: 'Ada', createdMs: 3 });
    expect(journal.users.byName('ada')).toEqual({ ...ada, passwordHash: 'h1' });
    expect(journal.users.byId(1)).toEqual(ada);
    expect(journal.users.list()).toEqual([ada]);
    expect(journal.users.count()).toBe(1);
    expect(() => journal.users.create({ name: 'ADA', passwordHash: 'h2', nowMs: 4 })).toThrow(
      withCode('user_exists'),
    );
  });

  it('changes a password and refuses to for nobody', () => {
    using folder = new TemporaryFolder();
    using journal = Journal.open({ folder: folder.path });
    const { id } = journal.users.create({ name: 'Ada', passwordHash: 'h1', nowMs: 3 });
    journal.users.setPasswordHash(id, 'h2');
    expect(journal.users.byName('Ada')?.passwordHash).toBe('h2');
    expect(() => journal.users.setPasswordHash(9, 'h2')).toThrow(withCode('user_missing'));
  });
});

describe('Sessions', () => {
  it('holds a session until its end, which can be moved', () => {
    using folder = new TemporaryFolder();
    using journal = Journal.open({ folder: folder.path });
    const { id: userId } = journal.users.create({ name: 'Ada', passwordHash: 'h', nowMs: 0 });
    const token = journal.sessions.create({ userId, nowMs: 10, expiresMs: 100 });
    expect(token).toMatch(/^[\w-]{43}$/);
    expect(journal.sessions.find(token, 99)).toEqual({ userId, expiresMs: 100 });
    expect(journal.sessions.find(token, 100)).toBeUndefined();
    expect(journal.sessions.renew(token, 200)).toBe(true);
    expect(journal.sessions.find(token, 199)).toEqual({ userId, expiresMs: 200 });
    expect(journal.sessions.removeExpired(199)).toBe(0);
    expect(journal.sessions.removeExpired(200)).toBe(1);
    expect(journal.sessions.renew(token, 300)).toBe(false);
  });

  it('ends one session, all of a user, and those of a removed user', () => {
    using folder = new TemporaryFolder();
    using journal = Journal.open({ folder: folder.path });
    const { id: userId } = journal.users.create({ name: 'Ada', passwordHash: 'h', nowMs: 0 });
    const create = () => journal.sessions.create({ userId, nowMs: 10, expiresMs: 100 });
    const tokens = [create(), create(), create()];
    expect(journal.sessions.revoke(tokens[0] ?? '')).toBe(true);
    expect(journal.sessions.revoke(tokens[0] ?? '')).toBe(false);
    expect(tokens.map((token) => journal.sessions.find(token, 20)?.userId)).toEqual([
      undefined,
      userId,
      userId,
    ]);
    expect(journal.sessions.revokeAllOf(userId)).toBe(2);
    const last = create();
    expect(journal.users.remove(userId)).toBe(true);
    expect(journal.sessions.find(last, 20)).toBeUndefined();
    expect(create).toThrow(withCode('user_missing'));
  });
});

describe('Keys', () => {
  it('finds a key by its secret, lists it without, and revokes it', () => {
    using folder = new TemporaryFolder();
    using journal = Journal.open({ folder: folder.path });
    const created = journal.keys.create({ name: 'ci', scopes: ['stats:read'], nowMs: 3 });
    const key = { id: 1, name: 'ci', scopes: ['stats:read'], createdMs: 3 };
    expect(created).toEqual({ id: 1, key: expect.stringMatching(/^lg_[\w-]{43}$/) });
    expect(journal.keys.find(created.key)).toEqual(key);
    expect(journal.keys.find(`${created.key}x`)).toBeUndefined();
    expect(journal.keys.list()).toEqual([key]);
    expect(journal.keys.revoke(1)).toBe(true);
    expect(journal.keys.find(created.key)).toBeUndefined();
    expect(journal.keys.revoke(1)).toBe(false);
  });

  it('J8: neither a key nor a token is in the database', () => {
    using folder = new TemporaryFolder();
    using journal = Journal.open({ folder: folder.path });
    const { key } = journal.keys.create({ name: 'the name', scopes: [], nowMs: 3 });
    const { id: userId } = journal.users.create({ name: 'Ada', passwordHash: 'h', nowMs: 0 });
    const token = journal.sessions.create({ userId, nowMs: 10, expiresMs: 100 });
    const bytes = storedBytes(folder);
    expect(bytes).toContain('the name');
    for (const secret of [key.slice(3), token]) {
      expect(bytes).not.toContain(secret);
      expect(bytes).not.toContain(Buffer.from(secret, 'base64url').toString('latin1'));
    }
  });
});

describe('Goals', () => {
  it('makes the same goal once, whatever it is called', () => {
    using folder = new TemporaryFolder();
    using journal = Journal.open({ folder: folder.path });
    journal.sites.create({ domain: 'a.org', timezone: 'UTC', nowMs: 0 });
    const goal = journal.goals.create({
      siteId: 1,
      kind: 'event',
      eventName: 'Purchase',
      currency: 'EUR',
    });
    expect(goal).toEqual({
      id: 1,
      siteId: 1,
      displayName: 'Purchase',
      kind: 'event',
      eventName: 'Purchase',
      pagePattern: null,
      scrollThreshold: null,
      currency: 'EUR',
    });
    const again = { siteId: 1, kind: 'event', eventName: 'Purchase', displayName: 'Sale' } as const;
    expect(journal.goals.create(again)).toEqual(goal);
    expect(journal.goals.list(1)).toEqual([goal]);
    expect(journal.goals.byId(1)).toEqual(goal);
  });

  it('tells aims apart by kind, pattern, threshold and site', () => {
    using folder = new TemporaryFolder();
    using journal = Journal.open({ folder: folder.path });
    for (const domain of ['a.org', 'b.org']) {
      journal.sites.create({ domain, timezone: 'UTC', nowMs: 0 });
    }
    const page = { kind: 'page', pagePattern: '/a' } as const;
    const scroll = { kind: 'scroll', pagePattern: '/a' } as const;
    const names = [
      journal.goals.create({ siteId: 1, ...page }),
      journal.goals.create({ siteId: 2, ...page }),
      journal.goals.create({ siteId: 1, ...scroll, scrollThreshold: 50 }),
      journal.goals.create({ siteId: 1, ...scroll, scrollThreshold: 90 }),
    ].map((goal) => goal.displayName);
    expect(names).toEqual(['Visit /a', 'Visit /a', 'Scroll 50% on /a', 'Scroll 90% on /a']);
    expect(journal.goals.list(1)).toHaveLength(3);
  });

  it('refuses a name that another aim has, and a site that is not there', () => {
    using folder = new TemporaryFolder();
    using journal = Journal.open({ folder: folder.path });
    journal.sites.create({ domain: 'a.org', timezone: 'UTC', nowMs: 0 });
    const goal = { siteId: 1, kind: 'page', pagePattern: '/a', displayName: 'Aim' } as const;
    journal.goals.create(goal);
    expect(() => journal.goals.create({ ...goal, pagePattern: '/b' })).toThrow(
      withCode('goal_exists'),
    );
    expect(() => journal.goals.create({ ...goal, siteId: 2 })).toThrow(withCode('site_missing'));
    expect(journal.goals.remove(2, 1)).toBe(false);
    expect(journal.goals.remove(1, 1)).toBe(true);
    expect(journal.goals.list(1)).toEqual([]);
  });
});

describe('Settings', () => {
  it('keeps text by name', () => {
    using folder = new TemporaryFolder();
    using journal = Journal.open({ folder: folder.path });
    expect(journal.settings.get('a')).toBeUndefined();
    journal.settings.set('a', '1');
    journal.settings.set('a', '2');
    expect(journal.settings.get('a')).toBe('2');
    expect(journal.settings.delete('a')).toBe(true);
    expect(journal.settings.delete('a')).toBe(false);
    expect(journal.settings.get('a')).toBeUndefined();
  });

  it('are listed by how their names begin, taken literally', () => {
    using folder = new TemporaryFolder();
    using journal = Journal.open({ folder: folder.path });
    for (const name of ['a_b 2', 'a_b 1', 'axb 3', 'b']) journal.settings.set(name, name);
    expect(journal.settings.entries('a_b ')).toEqual([
      ['a_b 1', 'a_b 1'],
      ['a_b 2', 'a_b 2'],
    ]);
  });
});

describe('Drops', () => {
  it('adds up by site, date and reason', () => {
    using folder = new TemporaryFolder();
    using journal = Journal.open({ folder: folder.path });
    const bot = { siteId: 1, date: '2026-01-02', reason: 'bot', count: 2 } as const;
    journal.drops.add([bot, { ...bot, date: '2026-01-03' }]);
    journal.drops.add([bot, { ...bot, siteId: null, reason: 'unknown_site' }]);
    expect(journal.drops.list(1, '2026-01-01', '2026-01-02')).toEqual([
      { date: '2026-01-02', reason: 'bot', count: 4 },
    ]);
    expect(journal.drops.list(1, '2026-01-02', '2026-01-03')).toHaveLength(2);
    expect(journal.drops.list(null, '2026-01-01', '2026-12-31')).toEqual([
      { date: '2026-01-02', reason: 'unknown_site', count: 2 },
    ]);
  });
});
