import { writeFileSync } from 'node:fs';
import { VISIT_COLUMNS } from '@loggia/contract';
import type { Journal } from '@loggia/journal';
import { describe, expect, it } from 'vitest';
import { csvLine } from '../../src/transfer/csv-text.ts';
import { goatcounterKind } from '../../src/transfer/goatcounter-kind.ts';
import { umamiKind } from '../../src/transfer/umami-kind.ts';
import { hitOptions, importFiles } from './hit-import.ts';
import { TransferFolder } from './transfer-folder.ts';

function siteIn(journal: Journal) {
  return journal.sites.create({ domain: 'rows.example', timezone: 'UTC', nowMs: 0 });
}

/** All visits, by the names of the columns, in the order of their beginnings. */
function visitsOf(journal: Journal): readonly Record<string, unknown>[] {
  return journal.tail
    .readVisits(0, 100)
    .map((row) => Object.fromEntries(VISIT_COLUMNS.map(({ name }, index) => [name, row[index]])))
    .sort((left, right) => Number(left['start_ms']) - Number(right['start_ms']));
}

function eventsOf(journal: Journal): readonly unknown[] {
  return journal.tail.readEvents(0, 100).map((row) => [row[5], row[6], row[7]]);
}

const UMAMI_HEADING = (
  'website_id session_id visit_id event_id hostname browser os device screen language country ' +
  'region city url_path url_query utm_source referrer_path referrer_domain page_title event_type ' +
  'event_name created_at'
).split(' ');

function umamiRow(change: Readonly<Record<string, string>>): string {
  const row: Readonly<Record<string, string>> = {
    website_id: 'W1',
    session_id: 'S1',
    visit_id: 'V1',
    event_id: 'E1',
    hostname: 'www.rows.example',
    browser: 'edge-chromium',
    os: 'Windows 10',
    device: 'laptop',
    screen: '1920x1080',
    language: 'de-DE',
    country: 'DE',
    region: 'DE-BE',
    city: 'Berlin',
    url_path: '/',
    referrer_domain: 'google.com',
    referrer_path: '/search',
    event_type: '1',
    created_at: '2026-03-01 10:00:00',
    ...change,
  };
  return csvLine(UMAMI_HEADING.map((name) => row[name] ?? null));
}

describe("Umami's rows", () => {
  it('become visits with what Umami knew of them', async () => {
    using folder = new TransferFolder();
    using journal = folder.openJournal();
    const path = folder.fresh('website_event.csv');
    writeFileSync(
      path,
      csvLine(UMAMI_HEADING) +
        umamiRow({
          url_path: '/b',
          url_query: 'utm_source=news',
          created_at: '2026-03-01 10:10:00',
        }) +
        umamiRow({}) +
        umamiRow({
          event_type: '2',
          event_name: 'Signup',
          created_at: '2026-03-01T10:11:00.500Z',
        }) +
        umamiRow({ event_type: '5', created_at: '2026-03-01 10:12:00' }) +
        umamiRow({ session_id: 'S2', utm_source: 'x y', created_at: '2026-03-01 12:00:00' }),
    );
    const kind = umamiKind({ ...hitOptions(journal, siteIn(journal)), website: undefined });
    const { files } = await importFiles(kind, journal, [path]);
    expect(files[0]?.counts).toEqual({ pageviews: 3, events: 1, other_kind: 1 });
    expect(eventsOf(journal)).toEqual([
      ['pageview', 'rows.example', '/'],
      ['pageview', 'rows.example', '/b'],
      ['Signup', 'rows.example', '/'],
      ['pageview', 'rows.example', '/'],
    ]);
    expect(visitsOf(journal)).toMatchObject([
      {
        start_ms: Date.UTC(2026, 2, 1, 10),
        pageviews: 2,
        events: 3,
        bounce: 0,
        source: 'Google',
        channel: 'Organic Search',
        country: 'DE',
        region: 'DE-BE',
        city: 'Berlin',
        city_name: 'Berlin',
        browser: 'Microsoft Edge',
        os: 'Windows',
        os_version: '10',
        device: 'Desktop',
        language: 'de',
      },
      { pageviews: 1, utm_source: 'x y' },
    ]);
  });

  it('of several websites need the name of one', async () => {
    using folder = new TransferFolder();
    using journal = folder.openJournal();
    const options = hitOptions(journal, siteIn(journal));
    const path = folder.fresh('website_event.csv');
    const heading = csvLine(UMAMI_HEADING);
    writeFileSync(path, heading + umamiRow({}) + umamiRow({ website_id: 'W2', session_id: 'S2' }));
    const unnamed = umamiKind({ ...options, website: undefined });
    await expect(importFiles(unnamed, journal, [path])).rejects.toMatchObject({
      code: 'import_bad_file',
      hint: expect.stringContaining('--website'),
    });
    const named = umamiKind({ ...options, website: 'w2' });
    const { files } = await importFiles(named, journal, [path]);
    expect(files[0]?.counts).toEqual({ other_website: 1, pageviews: 1 });
  });

  it('of another table are refused', async () => {
    using folder = new TransferFolder();
    using journal = folder.openJournal();
    const path = folder.fresh('session.csv');
    writeFileSync(path, 'session_id,website_id\n');
    const kind = umamiKind({ ...hitOptions(journal, siteIn(journal)), website: undefined });
    await expect(importFiles(kind, journal, [path])).rejects.toMatchObject({
      message: `${path} is no export of Umami: it lacks url_path, event_type, created_at`,
    });
  });
});

const GOATCOUNTER_HEADING =
  '2Path,Title,Event,UserAgent,Browser,System,Session,Bot,Referrer,Referrer scheme,' +
  'Screen size,Location,FirstVisit,Date\n';

describe("GoatCounter's export", () => {
  it('becomes visits with what GoatCounter knew of them', async () => {
    using folder = new TransferFolder();
    using journal = folder.openJournal();
    const path = folder.fresh('goatcounter.csv');
    writeFileSync(
      path,
      `${GOATCOUNTER_HEADING}/,"Home, sweet",false,,Firefox 120,Linux,s1,0,www.google.com,h,"1920,1080,1",NL-NB,true,2026-03-01T10:00:00Z
/b?x=y,B,false,,Firefox 120,Linux,s1,0,,,"1920,1080,1",NL-NB,false,2026-03-01T10:05:00Z
Signup,,true,,Firefox 120,Linux,s1,0,,,,NL-NB,false,2026-03-01T10:06:00Z
/,Home,false,,Chrome 130,macOS,s2,0,Hacker News,g,,US,true,2026-03-01T11:00:00Z
/,Home,false,Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0,,,s3,0,,,,,true,2026-03-01T12:00:00+01:00
/,Home,false,,,,s4,3,,,,,true,2026-03-01T12:00:00Z
`,
    );
    const kind = goatcounterKind(hitOptions(journal, siteIn(journal)));
    const { files } = await importFiles(kind, journal, [path]);
    expect(files[0]?.counts).toEqual({ bot: 1, pageviews: 4, events: 1 });
    expect(visitsOf(journal)).toMatchObject([
      {
        pageviews: 2,
        events: 3,
        source: 'Google',
        country: 'NL',
        region: 'NL-NB',
        browser: 'Firefox',
        browser_version: '120',
        os: 'GNU/Linux',
        exit_page: '/b',
      },
      { source: 'Hacker News', country: 'US', os: 'Mac', browser: 'Chrome', utm_source: null },
      { start_ms: Date.UTC(2026, 2, 1, 11), browser: 'Firefox', browser_version: '140.0' },
    ]);
  });

  it('of another version is refused', async () => {
    using folder = new TransferFolder();
    using journal = folder.openJournal();
    const path = folder.fresh('goatcounter.csv');
    writeFileSync(path, GOATCOUNTER_HEADING.replace('2Path', '1Path'));
    const kind = goatcounterKind(hitOptions(journal, siteIn(journal)));
    await expect(importFiles(kind, journal, [path])).rejects.toThrow(/it lacks 2Path/);
  });
});
