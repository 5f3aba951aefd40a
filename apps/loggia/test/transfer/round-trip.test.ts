import { appendFileSync, readFileSync, writeFileSync } from 'node:fs';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { EXPORT_FORMATS } from '../../src/transfer/export-target.ts';
import { eventTable } from '../model/events.ts';
import { addDays, startOfDate } from '../model/local-time.ts';
import { ODD_DAYS, drafts, transactionsOf } from '../reports/random-hits.ts';
import { queryDraft, queryOf } from '../reports/random-query.ts';
import {
  TransferFolder,
  answerOf,
  contentOf,
  exportAll,
  importExports,
  withStore,
  writeHits,
} from './transfer-folder.ts';

const SEED = Number(process.env['FC_SEED'] ?? Date.now() % 1_000_000_000);

/** A journal with a site and random visits. */
const scenario = fc.record({
  oddDay: fc.constantFrom(...ODD_DAYS),
  drafted: drafts,
  queries: fc.array(queryDraft, { minLength: 2, maxLength: 4 }),
  format: fc.constantFrom(...EXPORT_FORMATS),
});

describe('an export', () => {
  it(`imported into an empty server is what it was, and so are its reports (FC_SEED=${SEED})`, async () => {
    using folder = new TransferFolder();
    await fc.assert(
      fc.asyncProperty(fc.noBias(scenario), async ({ oddDay, drafted, queries, format }) => {
        using journal = folder.openJournal();
        using other = folder.openJournal();
        other.sites.create({ domain: 'another.example', timezone: 'UTC', nowMs: 0 });
        const domain = 'a.example';
        const site = journal.sites.create({ domain, timezone: oddDay.zone, nowMs: 0 });
        writeHits(journal, transactionsOf(site.id, oddDay, drafted));
        const path = folder.fresh(`export.${format}`);
        const rows = await exportAll(journal, format, path);
        expect(rows).toBe(journal.tail.readEvents(0, 100_000).length);
        const { files } = await importExports(other, [path]);
        expect(contentOf(other)).toEqual(contentOf(journal));
        expect(files[0]?.counts['rows'] ?? 0).toBe(rows);
        const otherSite = other.sites.byDomain(domain);
        if (otherSite === undefined) return;
        expect(otherSite.timezone).toBe(oddDay.zone);
        const nowMs = startOfDate(oddDay.zone, addDays(oddDay.date, 2));
        await withStore(journal, async (store) => {
          await withStore(other, async (otherStore) => {
            for (const query of queries) {
              const body = queryOf(query, domain, oddDay);
              if (JSON.stringify(body).includes('goal')) continue;
              const there = { journal: other, site: otherSite, nowMs };
              const answer = await answerOf(otherStore, there, body);
              expect(answer).toEqual(await answerOf(store, { journal, site, nowMs }, body));
            }
          });
        });
      }),
      { seed: SEED, numRuns: 25, interruptAfterTimeLimit: 90_000, markInterruptAsFailure: true },
    );
  });

  it('is imported once, under whatever name and compression it comes', async () => {
    using folder = new TransferFolder();
    using journal = folder.openJournal();
    const path = await smallExport(folder, 'csv');
    const [zipped, packed] = [folder.fresh('a.csv.gz'), folder.fresh('b.csv.zst')];
    writeFileSync(zipped, gzipSync(readFileSync(path)));
    writeFileSync(packed, zstdCompressSync(readFileSync(path)));
    const states: string[] = [];
    for (const each of [zipped, path, packed]) {
      const { files } = await importExports(journal, [each]);
      states.push(...files.map(({ state }) => state));
    }
    expect(states).toEqual(['new', 'again', 'again']);
    expect(journal.tail.readEvents(0, 100)).toHaveLength(3);
  });

  it('with a row that is not one is refused with its line, and nothing is imported', async () => {
    using folder = new TransferFolder();
    using journal = folder.openJournal();
    const path = await smallExport(folder, 'csv');
    const lines = readFileSync(path, 'utf8').trimEnd().split('\n');
    lines[2] = lines[2]?.replace('pageview,', ',') ?? '';
    writeFileSync(path, `${lines.join('\n')}\n`);
    await expect(importExports(journal, [path])).rejects.toMatchObject({
      code: 'import_bad_lines',
      message: `${path}, line 3: name is missing`,
    });
    expect(journal.tail.readVisits(0, 100)).toEqual([]);
  });

  it.each(['csv', 'ndjson'] as const)('as %s in another order is refused', async (format) => {
    using folder = new TransferFolder();
    using journal = folder.openJournal();
    const path = await smallExport(folder, format);
    const lines = readFileSync(path, 'utf8').trimEnd().split('\n');
    lines.push(lines.splice(format === 'csv' ? 1 : 0, 1)[0] ?? '');
    writeFileSync(path, `${lines.join('\n')}\n`);
    await expect(importExports(journal, [path])).rejects.toThrow(/not in the order of an export/);
  });

  it('that lacks a column is refused by its name', async () => {
    using folder = new TransferFolder();
    using journal = folder.openJournal();
    const path = folder.fresh('other.csv');
    writeFileSync(path, 'site,time,page\n');
    await expect(importExports(journal, [path])).rejects.toMatchObject({
      code: 'import_bad_file',
      message: expect.stringContaining('it lacks timezone, event_id'),
    });
  });

  it('that is cut short in its compression is refused, and nothing is imported', async () => {
    using folder = new TransferFolder();
    using journal = folder.openJournal();
    const path = await smallExport(folder, 'ndjson');
    const zipped = folder.fresh('cut.gz');
    const bytes = gzipSync(readFileSync(path));
    writeFileSync(zipped, bytes.subarray(0, bytes.length - 9));
    await expect(importExports(journal, [zipped])).rejects.toMatchObject({
      code: 'import_unreadable',
    });
    expect(journal.tail.readVisits(0, 100)).toEqual([]);
  });

  it('whose import is cut off anywhere is imported once, whole visit by whole visit', async () => {
    using folder = new TransferFolder();
    const kills = fc.array(fc.nat(8), { maxLength: 4 });
    const size = fc.integer({ min: 1, max: 9 });
    await fc.assert(
      fc.asyncProperty(fc.noBias(scenario), kills, size, async (given, cuts, writeRows) => {
        using journal = folder.openJournal();
        using other = folder.openJournal();
        const { oddDay, drafted, format } = given;
        const { id } = journal.sites.create({ domain: 'a.example', timezone: 'UTC', nowMs: 0 });
        writeHits(journal, transactionsOf(id, oddDay, drafted));
        const path = folder.fresh(`export.${format}`);
        await exportAll(journal, format, path);
        for (const commitsMax of [...cuts, Infinity]) {
          let commits = 0;
          const onCommit = () => {
            commits += 1;
            if (commits > commitsMax) throw new Killed();
          };
          await importExports(other, [path], { onCommit, writeRows, chunkBytes: 700 }).catch(
            (error: unknown) => {
              if (!(error instanceof Killed)) throw error;
            },
          );
        }
        expect(contentOf(other)).toEqual(contentOf(journal));
      }),
      { seed: SEED, numRuns: 20, interruptAfterTimeLimit: 60_000, markInterruptAsFailure: true },
    );
  });

  it('that has grown gives what is new', async () => {
    using folder = new TransferFolder();
    using journal = folder.openJournal();
    const path = await smallExport(folder, 'ndjson');
    const lines = readFileSync(path, 'utf8').trimEnd().split('\n');
    writeFileSync(path, `${lines.slice(0, 2).join('\n')}\n`);
    await importExports(journal, [path]);
    expect(journal.tail.readEvents(0, 100)).toHaveLength(2);
    appendFileSync(path, `${lines[2]}\n`);
    const { files } = await importExports(journal, [path]);
    expect(files).toMatchObject([{ state: 'resumed', counts: { rows: 3, visits: 2 } }]);
    expect(journal.tail.readEvents(0, 100)).toHaveLength(3);
  });
});

class Killed extends Error {}

/** The export of two visits, one of two page views and one of one. */
async function smallExport(folder: TransferFolder, format: 'csv' | 'ndjson'): Promise<string> {
  using journal = folder.openJournal();
  const site = journal.sites.create({ domain: 'small.example', timezone: 'UTC', nowMs: 0 });
  const table = eventTable(site.id, 'UTC', '2026-05-01');
  writeHits(journal, [
    [
      table.view('ada', '10:00:00', '/'),
      table.view('ada', '10:01:00', '/b'),
      table.view('bob', '12:00:00', '/'),
    ],
  ]);
  const path = folder.fresh(`small.${format}`);
  await exportAll(journal, format, path);
  return path;
}
