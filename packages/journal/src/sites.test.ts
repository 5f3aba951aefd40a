import { DEFAULT_SITE_SETTINGS } from '@loggia/contract';
import { describe, expect, it } from 'vitest';
import { sampleEvent, sampleVisit } from '../test/sample-rows.ts';
import { TemporaryFolder } from '../test/temporary-folder.ts';
import { Journal } from './journal.ts';

const BERLIN = { domain: 'example.org', timezone: 'Europe/Berlin', nowMs: 5 };

describe('Sites', () => {
  it('gives a new site an id, a script id and default settings', () => {
    using folder = new TemporaryFolder();
    using journal = Journal.open({ folder: folder.path });
    const site = journal.sites.create({ ...BERLIN, domain: 'https://Example.org/' });
    expect(site).toEqual({
      id: 1,
      domain: 'example.org',
      timezone: 'Europe/Berlin',
      zoneSinceMs: 0,
      createdMs: 5,
      scriptId: expect.stringMatching(/^[A-Za-z0-9]{16}$/),
      settings: DEFAULT_SITE_SETTINGS,
    });
    expect(journal.sites.byId(1)).toEqual(site);
    expect(journal.sites.byDomain('EXAMPLE.org')).toEqual(site);
    expect(journal.sites.byScriptId(site.scriptId)).toEqual(site);
    expect([journal.sites.byId(2), journal.sites.byDomain('a b')]).toEqual([undefined, undefined]);
  });

  it('keeps what was set when the journal is opened again, listed by name', () => {
    using folder = new TemporaryFolder();
    {
      using journal = Journal.open({ folder: folder.path });
      journal.sites.create({
        ...BERLIN,
        settings: { honourOptOut: true },
        scriptId: 'a'.repeat(16),
      });
      journal.sites.create({ ...BERLIN, domain: 'another.org' });
    }
    using journal = Journal.open({ folder: folder.path });
    expect(journal.sites.list().map((site) => site.domain)).toEqual(['another.org', 'example.org']);
    expect(journal.sites.byScriptId('a'.repeat(16))?.settings).toEqual({
      ...DEFAULT_SITE_SETTINGS,
      honourOptOut: true,
    });
  });

  it('refuses a name twice, in any spelling, and what is no name or zone', () => {
    using folder = new TemporaryFolder();
    using journal = Journal.open({ folder: folder.path });
    const first = journal.sites.create(BERLIN);
    const other = journal.sites.create({ ...BERLIN, domain: 'other.org' });
    const code = (code: string) => expect.objectContaining({ code });
    expect(() => journal.sites.create({ ...BERLIN, domain: 'Example.org/' })).toThrow(
      code('site_exists'),
    );
    expect(() => journal.sites.create({ ...BERLIN, domain: 'a b' })).toThrow(code('bad_domain'));
    expect(() => journal.sites.create({ ...BERLIN, timezone: 'Mars' })).toThrow(
      code('bad_timezone'),
    );
    expect(() => journal.sites.update(other.id, { domain: first.domain })).toThrow(
      code('site_exists'),
    );
    expect(() => journal.sites.update(99, {})).toThrow(code('site_missing'));
    expect(journal.sites.list()).toHaveLength(2);
  });

  it('changes what is named and nothing else', () => {
    using folder = new TemporaryFolder();
    using journal = Journal.open({ folder: folder.path });
    const site = journal.sites.create({ ...BERLIN, settings: { dropDatacentre: true } });
    const changed = journal.sites.update(site.id, { settings: { honourOptOut: true } });
    expect(changed).toEqual({
      ...site,
      settings: { ...site.settings, dropDatacentre: true, honourOptOut: true },
    });
    const moved = { domain: 'New.org', timezone: 'UTC', nowMs: 9 };
    expect(journal.sites.update(site.id, moved)).toEqual({
      ...changed,
      zoneSinceMs: 9,
      domain: 'new.org',
      timezone: 'UTC',
    });
    const kept = { domain: 'new.org', timezone: 'UTC', nowMs: 10 };
    expect(journal.sites.update(site.id, kept)).toMatchObject({
      domain: 'new.org',
      zoneSinceMs: 9,
    });
  });

  it('frees the name of a removed site at once and never its id', () => {
    using folder = new TemporaryFolder();
    using journal = Journal.open({ folder: folder.path });
    const site = journal.sites.create(BERLIN);
    journal.goals.create({ siteId: site.id, kind: 'event', eventName: 'Signup' });
    expect(journal.sites.remove(site.id, 6)).toBe(true);
    expect(journal.sites.remove(site.id, 6)).toBe(false);
    expect(journal.goals.list(site.id)).toEqual([]);
    expect(journal.sites.create(BERLIN).id).toBe(2);
  });
});

describe('Sites.purgeStep', () => {
  function fill(journal: Journal, siteId: number): void {
    journal.transaction(() => {
      for (let visitor = 1n; visitor <= 3n; visitor += 1n) {
        const visit_id = journal.tail.insertVisit(sampleVisit({ site_id: siteId, visitor }));
        for (let count = 0; count < 4; count += 1) {
          journal.tail.insertEvent(sampleEvent({ site_id: siteId, visit_id, visitor }));
        }
      }
      journal.tail.rememberId(siteId, 'one', 1);
      journal.tail.addAlias({ siteId, alias: 1n, visitor: 2n, expiresMs: 1 });
      journal.drops.add([{ siteId, date: '2026-01-01', reason: 'bot', count: 2 }]);
    });
  }

  it.each([1, 2, 7, 1000])(
    'J6: %i rows at a time, deletes all of a removed site only',
    (rowsMax) => {
      using folder = new TemporaryFolder();
      using journal = Journal.open({ folder: folder.path });
      const [kept, removed] = ['kept.org', 'removed.org'].map((domain) =>
        journal.sites.create({ ...BERLIN, domain }),
      );
      fill(journal, kept?.id ?? 0);
      fill(journal, removed?.id ?? 0);
      expect(journal.sites.purgeStep(rowsMax)).toBe(0);
      journal.sites.remove(removed?.id ?? 0, 6);
      const steps: number[] = [];
      for (let rows = -1; rows !== 0; steps.push(rows)) rows = journal.sites.purgeStep(rowsMax);
      expect(steps.every((rows) => rows <= rowsMax)).toBe(true);
      expect(steps.reduce((sum, rows) => sum + rows, 0)).toBe(3 + 3 * 4 + 3);
      expect(journal.tail.readEvents(0, 100).map((row) => row[1])).toEqual(
        Array.from({ length: 12 }, () => kept?.id),
      );
      expect(journal.tail.readVisits(0, 100)).toHaveLength(3);
      expect(journal.tail.rememberId(1, 'one', 1)).toBe(false);
      expect(journal.drops.list(1, '2026-01-01', '2026-01-01')).toHaveLength(1);
      expect(journal.drops.list(2, '2026-01-01', '2026-01-01')).toEqual([]);
    },
  );

  it('J6: raises the epoch once per site, when its last visit goes', () => {
    using folder = new TemporaryFolder();
    using journal = Journal.open({ folder: folder.path });
    fill(journal, journal.sites.create(BERLIN).id);
    journal.sites.remove(1, 6);
    const epochs: number[] = [];
    while (journal.sites.purgeStep(4) > 0) epochs.push(journal.tail.head().epoch);
    expect(epochs).toEqual([0, 0, 0, 1, 1]);
  });

  it('J6: finds what arrives for a site after its purge', () => {
    using folder = new TemporaryFolder();
    using journal = Journal.open({ folder: folder.path });
    const { id } = journal.sites.create(BERLIN);
    journal.sites.remove(id, 6);
    expect(journal.sites.purgeStep(100)).toBe(0);
    fill(journal, id);
    expect(journal.sites.purgeStep(100)).toBe(18);
    expect(journal.sites.purgeStep(100)).toBe(0);
  });

  it('J4: does not let ids be used again', () => {
    using folder = new TemporaryFolder();
    using journal = Journal.open({ folder: folder.path });
    fill(journal, journal.sites.create(BERLIN).id);
    const before = journal.tail.head();
    journal.sites.remove(1, 6);
    while (journal.sites.purgeStep(100) > 0);
    expect(journal.tail.head()).toEqual({ ...before, epoch: 1 });
    expect(journal.tail.insertVisit(sampleVisit())).toBe(4);
    expect(journal.tail.insertEvent(sampleEvent({ visit_id: 4 }))).toBe(before.eventId + 1);
  });
});
