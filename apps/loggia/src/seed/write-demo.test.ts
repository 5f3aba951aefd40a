import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Journal } from '@loggia/journal';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { writeDemo, type DemoRequest } from './write-demo.ts';

const REQUEST: DemoRequest = {
  sites: [{ domain: 'demo.example', timezone: 'Europe/Berlin', share: 1 }],
  hitsTarget: 1500,
  days: 10,
  until: '2026-03-10',
  seed: 1,
  nowMs: Date.UTC(2026, 2, 12),
};

let folder = '';
let journal: Journal;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'loggia-seed-'));
  journal = Journal.open({ folder });
});
afterEach(() => {
  journal.close();
  rmSync(folder, { recursive: true, force: true });
});

describe('writeDemo', () => {
  it('stores every hit, makes the goals and tells how far it is', () => {
    const steps: number[] = [];
    const [result] = writeDemo(journal, REQUEST, (hitCount) => steps.push(hitCount));
    expect(result?.hitCount).toBeGreaterThan(1200);
    expect(journal.tail.head().eventId).toBe(result?.hitCount);
    expect(steps.at(-1)).toBe(result?.hitCount);
    const site = journal.sites.byDomain('demo.example');
    expect(site?.timezone).toBe('Europe/Berlin');
    expect(journal.goals.list(site?.id ?? 0).map((goal) => goal.displayName)).toContain('Purchase');
    expect(journal.tail.firstEventMs(site?.id ?? 0)).toBeGreaterThan(Date.UTC(2026, 1, 28));
  });

  it('leaves a site with data of its own alone, before anything is changed', () => {
    writeDemo(journal, REQUEST, () => undefined);
    const before = journal.tail.head().eventId;
    const other = { domain: 'other.example', timezone: 'UTC', share: 1 };
    const both = { ...REQUEST, sites: [other, ...REQUEST.sites] };
    expect(() => writeDemo(journal, both, () => undefined)).toThrow('has demo data already');
    const site = journal.sites.byDomain('demo.example');
    journal.settings.delete(`demo_site_${site?.id}`);
    expect(() => writeDemo(journal, both, () => undefined)).toThrow('has visitors of its own');
    expect(journal.sites.byDomain('other.example')).toBeUndefined();
    expect(journal.tail.head().eventId).toBe(before);
  });

  it('fills a site that exists and has no data, in its own time zone', () => {
    journal.sites.create({ domain: 'demo.example', timezone: 'Asia/Tokyo', nowMs: 0 });
    writeDemo(journal, REQUEST, () => undefined);
    expect(journal.sites.byDomain('demo.example')?.timezone).toBe('Asia/Tokyo');
    expect(journal.tail.head().eventId).toBeGreaterThan(1000);
  });

  it('begins anew where an earlier call was cut off', () => {
    const stop = () => {
      throw new Error('cut off');
    };
    expect(() => writeDemo(journal, REQUEST, stop)).toThrow('cut off');
    const half = journal.sites.byDomain('demo.example');
    const [result] = writeDemo(journal, REQUEST, () => undefined);
    const site = journal.sites.byDomain('demo.example');
    expect(site?.id).not.toBe(half?.id);
    const counted = journal.tail.readEvents(0, 100_000).length;
    expect(counted).toBe(result?.hitCount);
  });
});
