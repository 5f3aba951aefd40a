import { appendFileSync, readFileSync, writeFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Hit } from '@loggia/contract';
import { Enricher, TailWriter } from '@loggia/ingest';
import type { Journal } from '@loggia/journal';
import { FIREFOX } from '../test-server.ts';
import { accessLogKind } from '../../src/transfer/access-log-kind.ts';
import { FIXED_SALTS, NOW_MS, hitOptions, importFiles, logKind } from './hit-import.ts';
import { TransferFolder, contentOf } from './transfer-folder.ts';

const MINUTE_MS = 60_000;
const DAY_MS = 24 * 60 * MINUTE_MS;
const START_MS = Date.UTC(2026, 2, 28, 20);
const DOMAIN = 'log.example';

interface Visit {
  readonly timeMs: number;
  readonly address: string;
  readonly path: string;
}

function lineOf({ timeMs, address, path }: Visit, agent = FIREFOX): string {
  // 'Sat, 28 Mar 2026 20:00:00 GMT'
  const [, day, month, year, clock] = new Date(timeMs).toUTCString().split(' ');
  const time = `${day}/${month}/${year}:${clock} +0000`;
  return `${address} - - [${time}] "GET ${path} HTTP/1.1" 200 1 "-" "${agent}"\n`;
}

function siteIn(journal: Journal, timezone = 'Europe/Berlin') {
  return journal.sites.create({ domain: DOMAIN, timezone, nowMs: 0 });
}

/** Visits in the order of a log, with pauses that end visits, cross midnight, and hardly do either. */
const visits = fc
  .array(
    fc.record({
      pauseMs: fc.constantFrom(0, 1000, 5 * MINUTE_MS, 29 * MINUTE_MS, 31 * MINUTE_MS, DAY_MS / 3),
      address: fc.constantFrom('192.0.2.1', '192.0.2.2', '192.0.2.3'),
      path: fc.constantFrom('/', '/a', '/b'),
    }),
    { maxLength: 60 },
  )
  .map((drafts) => {
    let timeMs = START_MS;
    return drafts.map(({ pauseMs, address, path }): Visit => {
      timeMs += pauseMs;
      return { timeMs, address, path };
    });
  });

/** What the same requests make when they come one after another, as live ones. */
function writeLive(journal: Journal, given: readonly Visit[]): void {
  const site = siteIn(journal);
  const enricher = new Enricher({ salts: FIXED_SALTS });
  const writer = new TailWriter(journal);
  for (const { timeMs, address, path } of given) {
    const hit = enricher.enrich(
      {
        name: 'pageview',
        address: { host: DOMAIN, hostname: DOMAIN, page: path, query: '' },
        domains: [DOMAIN],
        referrer: null,
        properties: null,
        revenue: null,
        interactive: true,
        scrollDepth: null,
        engagedMs: null,
        screenWidth: null,
        trackerVersion: null,
      },
      site,
      {
        address,
        userAgent: FIREFOX,
        language: null,
        headerPlace: null,
        hasOptedOut: false,
        timeMs,
        nowMs: NOW_MS,
        dedupeId: null,
      },
    );
    writer.write([hit as Hit], NOW_MS);
  }
}

class Killed extends Error {}

describe('an access log', () => {
  it('makes the visits that live requests make, however often its import is cut off', async () => {
    using folder = new TransferFolder();
    const cuts = fc.array(fc.nat(6), { maxLength: 4 });
    await fc.assert(
      fc.asyncProperty(
        visits,
        cuts,
        fc.integer({ min: 1, max: 12 }),
        fc.integer({ min: 40, max: 2000 }),
        async (given, kills, writeHits, chunkBytes) => {
          using live = folder.openJournal();
          writeLive(live, given);
          using journal = folder.openJournal();
          const site = siteIn(journal);
          const path = folder.fresh('access.log');
          writeFileSync(path, given.map((visit) => lineOf(visit)).join(''));
          const run = async (commitsMax: number) => {
            let commits = 0;
            await importFiles(logKind(journal, site, writeHits), journal, [path], {
              chunkBytes,
              onCommit: () => {
                commits += 1;
                if (commits > commitsMax) throw new Killed();
              },
            });
          };
          for (const kill of kills) {
            await run(kill).catch((error: unknown) => {
              if (!(error instanceof Killed)) throw error;
            });
          }
          await run(Infinity);
          expect(contentOf(journal)).toEqual(contentOf(live));
        },
      ),
      { numRuns: 40, interruptAfterTimeLimit: 90_000, markInterruptAsFailure: true },
    );
  });

  it('says what it left out and why', async () => {
    using folder = new TransferFolder();
    using journal = folder.openJournal();
    const path = folder.fresh('access.log');
    const visit = { timeMs: START_MS, address: '192.0.2.1', path: '/' };
    const lines = [
      lineOf(visit),
      lineOf({ ...visit, path: '/style.css' }),
      lineOf(visit, 'Googlebot/2.1 (+http://www.google.com/bot.html)'),
      lineOf(visit, '-'),
      lineOf(visit).replace('GET', 'POST'),
      lineOf(visit).replace('" 200', '" 404'),
      `other.example:80 ${lineOf(visit)}`,
      `www.${DOMAIN}:80 ${lineOf({ ...visit, path: '/b' })}`,
      'rubbish\n',
      '\n',
    ];
    writeFileSync(path, lines.join(''));
    const { files, badLines } = await importFiles(
      logKind(journal, siteIn(journal)),
      journal,
      [path],
      {
        badLinesMax: 1,
      },
    );
    expect(files[0]?.counts).toEqual({
      pageviews: 2,
      asset: 1,
      bot: 2,
      not_get: 1,
      not_given: 1,
      other_host: 1,
      bad: 1,
    });
    expect(badLines).toEqual([{ path, line: 9, reason: 'the line is not in the combined format' }]);
  });

  it('with more bad lines than allowed is refused with the first one, and nothing is imported', async () => {
    using folder = new TransferFolder();
    using journal = folder.openJournal();
    const site = siteIn(journal);
    const good = folder.fresh('good.log');
    const bad = folder.fresh('bad.log');
    const visit = { timeMs: START_MS, address: '192.0.2.1', path: '/' };
    writeFileSync(good, lineOf(visit));
    writeFileSync(bad, `${lineOf(visit)}x\ny\n`);
    await expect(
      importFiles(logKind(journal, site), journal, [good, bad], { badLinesMax: 1 }),
    ).rejects.toMatchObject({
      code: 'import_bad_lines',
      message: `${bad}, line 2: the line is not in the combined format, and 1 more`,
    });
    expect(journal.tail.readVisits(0, 10)).toEqual([]);
  });

  it('that is being written gives what is new each time, and never a half line', async () => {
    using folder = new TransferFolder();
    using journal = folder.openJournal();
    const site = siteIn(journal);
    const path = folder.fresh('access.log');
    const lines = [0, 1, 2].map((number) =>
      lineOf({ timeMs: START_MS + number * 1000, address: '192.0.2.1', path: `/${number}` }),
    );
    const run = async () => {
      const { files } = await importFiles(logKind(journal, site), journal, [path]);
      return files.map(({ state, isCutOff, counts }) => [state, isCutOff, counts['pageviews']]);
    };
    writeFileSync(path, `${lines[0]}${lines[1]?.slice(0, 50)}`);
    expect(await run()).toEqual([['new', true, 1]]);
    expect(await run()).toEqual([['again', true, 1]]);
    appendFileSync(path, `${lines[1]?.slice(50)}${lines[2]}`);
    expect(await run()).toEqual([['resumed', false, 3]]);
    const rotated = folder.fresh('access.log.1.gz');
    writeFileSync(rotated, gzipSync(readFileSync(path)));
    const { files } = await importFiles(logKind(journal, site), journal, [rotated]);
    expect(files).toMatchObject([{ state: 'again' }]);
    expect(journal.tail.readVisits(0, 10)).toHaveLength(1);
    expect(journal.tail.readEvents(0, 10).map((row) => row[7])).toEqual(['/0', '/1', '/2']);
  });

  it('of several files is taken in the order of time, and visits go on from file to file', async () => {
    using folder = new TransferFolder();
    using journal = folder.openJournal();
    const [late, early] = [folder.fresh('access.log'), folder.fresh('access.log.1')];
    const visit = { address: '192.0.2.1', path: '/late' };
    writeFileSync(late, lineOf({ ...visit, timeMs: START_MS + 10 * MINUTE_MS }));
    writeFileSync(early, lineOf({ ...visit, path: '/early', timeMs: START_MS }));
    await importFiles(logKind(journal, siteIn(journal)), journal, [late, early]);
    expect(journal.tail.readEvents(0, 10).map((row) => row[7])).toEqual(['/early', '/late']);
    expect(journal.tail.readVisits(0, 10)).toHaveLength(1);
  });

  it('that another process is importing as well is left to that one, and nothing is twice', async () => {
    using folder = new TransferFolder();
    using journal = folder.openJournal();
    const site = siteIn(journal);
    const path = folder.fresh('access.log');
    const lines = Array.from({ length: 20 }, (_, number) =>
      lineOf({ timeMs: START_MS + number * DAY_MS, address: '192.0.2.1', path: `/${number}` }),
    );
    writeFileSync(path, lines.join(''));
    let others: Promise<unknown> | undefined;
    const first = importFiles(logKind(journal, site, 2), journal, [path], {
      chunkBytes: 100,
      onCommit: () => {
        others ??= importFiles(logKind(journal, site, 2), journal, [path], { chunkBytes: 100 });
      },
    });
    const outcomes = await Promise.allSettled([
      first,
      first.catch(() => undefined).then(() => others),
    ]);
    const refused = outcomes.filter(({ status }) => status === 'rejected');
    expect(refused).toMatchObject([{ reason: { code: 'import_busy' } }]);
    const pages = journal.tail.readEvents(0, 100).map((row) => row[7]);
    expect(pages).toHaveLength(lines.length);
    expect(new Set(pages)).toEqual(new Set(lines.map((_, number) => `/${number}`)));
  });

  it('takes lines of JSON, and the hosts that are named', async () => {
    using folder = new TransferFolder();
    using journal = folder.openJournal();
    const site = siteIn(journal);
    const path = folder.fresh('caddy.json');
    const entry = (host: string) =>
      `${JSON.stringify({
        ts: START_MS / 1000,
        logger: 'http.log.access',
        status: 200,
        request: {
          client_ip: '192.0.2.1',
          method: 'GET',
          host,
          uri: '/p?utm_source=news',
          headers: { 'User-Agent': [FIREFOX], 'Accept-Language': ['fr-CH'] },
        },
      })}\n`;
    writeFileSync(path, [DOMAIN, 'alias.example', 'other.example'].map(entry).join(''));
    const kind = accessLogKind({ ...hitOptions(journal, site), hosts: ['alias.example'] });
    const { files } = await importFiles(kind, journal, [path]);
    expect(files[0]?.counts).toEqual({ pageviews: 2, other_host: 1 });
    const [row] = journal.tail.readVisits(0, 10);
    expect(row).toContain('fr');
    expect(row).toContain('news');
  });
});
