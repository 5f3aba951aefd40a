import { DatabaseSync, type SQLOutputValue } from 'node:sqlite';
import {
  EVENT_COLUMNS,
  PACKED_NULL,
  PACKED_SEPARATOR,
  VISIT_COLUMNS,
  type PackedRows,
} from '@loggia/contract';
import { AssertionError } from '@tandem/base';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { sampleEvent, sampleVisit } from '../test/sample-rows.ts';
import { TemporaryFolder } from '../test/temporary-folder.ts';
import { Journal } from './journal.ts';
import type { EventRow, VisitRow } from './tail-row.ts';

const EVER = { fromMs: -Infinity, toMs: Infinity };
const INT64 = [0n, 1n, -1n, 2n ** 63n - 1n, -(2n ** 63n), 2n ** 53n + 1n, -(2n ** 32n), 2n ** 31n];

function asArray(row: EventRow | VisitRow): unknown[] {
  const columns = 'time_ms' in row ? EVENT_COLUMNS : VISIT_COLUMNS;
  return columns.map(({ name }) => new Map<string, unknown>(Object.entries(row)).get(name));
}

/** What `rows` say, as text. */
function asText(rows: readonly (readonly SQLOutputValue[])[]): (string | null)[][] {
  return rows.map((row) => row.map((value) => (value === null ? null : String(value))));
}

function unpacked({ rowCount, columns }: PackedRows): (string | null)[][] {
  const texts = columns.map((column) => Buffer.from(column).toString().split(PACKED_SEPARATOR));
  return Array.from({ length: rowCount }, (_, row) =>
    texts.map((column) => (column[row] === PACKED_NULL ? null : (column[row] ?? 'missing'))),
  );
}

describe('the tables', () => {
  it('have the columns of the contract, in order, with their types', () => {
    using folder = new TemporaryFolder();
    Journal.open({ folder: folder.path }).close();
    using database = new DatabaseSync(folder.file('journal.db'), { readOnly: true });
    const sqlTypes = {
      int: 'INTEGER',
      int64: 'INTEGER',
      flag: 'INTEGER',
      text: 'TEXT',
      properties: 'TEXT',
    };
    for (const [table, columns] of [
      ['event', EVENT_COLUMNS],
      ['visit', VISIT_COLUMNS],
    ] as const) {
      const found = database
        .prepare(`SELECT name, type, "notnull" FROM pragma_table_info('${table}') ORDER BY cid`)
        .all()
        .filter((column) => column['name'] !== 'change')
        .map((column) => ({ ...column }));
      expect(found).toEqual(
        columns.map(({ name, type, nullable }) => ({
          name,
          type: sqlTypes[type],
          notnull: nullable || name === 'id' ? 0 : 1,
        })),
      );
    }
  });

  it('are searched by the index meant for each hot query', () => {
    using folder = new TemporaryFolder();
    Journal.open({ folder: folder.path }).close();
    using database = new DatabaseSync(folder.file('journal.db'), { readOnly: true });
    const plan = (sql: string) =>
      database
        .prepare(`EXPLAIN QUERY PLAN ${sql}`)
        .all()
        .map((row) => row['detail']);
    expect(plan('SELECT id FROM visit WHERE change > 1 ORDER BY change, id LIMIT 5')).toEqual([
      'SEARCH visit USING COVERING INDEX visit_by_change (change>?)',
    ]);
    expect(plan('SELECT min(start_ms) FROM visit WHERE site_id = 1')).toEqual([
      'SEARCH visit USING COVERING INDEX visit_by_start (site_id=?)',
    ]);
    expect(plan('SELECT id FROM event WHERE visit_id = 1 LIMIT 5')).toEqual([
      'SEARCH event USING COVERING INDEX event_by_visit (visit_id=?)',
    ]);
    expect(plan('SELECT site_id, dedupe_id FROM seen_id WHERE time_ms < 1 LIMIT 5')).toEqual([
      'SEARCH seen_id USING COVERING INDEX seen_id_by_time (time_ms<?)',
    ]);
  });
});

describe('Tail events', () => {
  it('come back in the order of commit as arrays, with all 64 bits of the visitor', () => {
    using folder = new TemporaryFolder();
    using journal = Journal.open({ folder: folder.path });
    const visit_id = journal.tail.insertVisit(sampleVisit());
    const events = INT64.map((visitor, index) =>
      sampleEvent({
        visit_id,
        visitor,
        time_ms: 1_800_000_000_000 - index,
        properties: '{"plan":"größer"}',
        revenue_milli: -5,
        revenue_currency: 'EUR',
        interactive: 0,
        scroll_depth: 100,
        engaged_ms: 7,
      }),
    );
    const last = journal.transaction(() => journal.tail.insertEvents(events));
    expect(last).toBe(INT64.length);
    expect(journal.tail.readEvents(0, 100)).toEqual(
      events.map((event, index) => asArray({ id: index + 1, ...event })),
    );
    expect(journal.tail.readEvents(2, 1).map((row) => row[0])).toEqual([3]);
    expect(journal.tail.head()).toEqual({ eventId: last, visitChange: 1, epoch: 0 });
  });

  it('J5: need a visit that exists', () => {
    using folder = new TemporaryFolder();
    using journal = Journal.open({ folder: folder.path });
    expect(() => journal.tail.insertEvent(sampleEvent({ visit_id: 3 }))).toThrow(AssertionError);
    expect(journal.tail.head().eventId).toBe(0);
  });
});

describe('Tail visits', () => {
  it('are found by visitor, site and time, with every column as it was written', () => {
    using folder = new TemporaryFolder();
    using journal = Journal.open({ folder: folder.path });
    const { tail } = journal;
    const visits = INT64.map((visitor) => {
      const visit = sampleVisit({ visitor, start_ms: 1000, last_ms: 5000, source: null });
      return { id: tail.insertVisit(visit), ...visit };
    });
    expect(tail.visitsOf(1, [...INT64], EVER)).toEqual(visits);
    const [visitor = 0n] = INT64;
    expect(tail.visitsOf(1, [visitor], { fromMs: 5000, toMs: 9000 })).toHaveLength(1);
    expect(tail.visitsOf(1, [visitor], { fromMs: 5001, toMs: 9000 })).toEqual([]);
    expect(tail.visitsOf(1, [visitor], { fromMs: 0, toMs: 1000 })).toHaveLength(1);
    expect(tail.visitsOf(1, [visitor], { fromMs: 0, toMs: 999 })).toEqual([]);
    expect(tail.visitsOf(2, [visitor], EVER)).toEqual([]);
  });

  it('J4: are stamped with one number per transaction, which rises over openings', () => {
    using folder = new TemporaryFolder();
    const stamps = (journal: Journal) => journal.tail.readVisits(0, 100).map((row) => row.at(-1));
    {
      using journal = Journal.open({ folder: folder.path });
      journal.transaction(() => {
        for (const visitor of [1n, 2n, 3n]) journal.tail.insertVisit(sampleVisit({ visitor }));
      });
      journal.tail.updateVisit({ id: 1, ...sampleVisit({ visitor: 1n, last_ms: 2000 }) });
      expect(stamps(journal)).toEqual([1, 1, 2]);
    }
    using journal = Journal.open({ folder: folder.path });
    journal.tail.updateVisit({ id: 2, ...sampleVisit({ visitor: 2n, last_ms: 2000 }) });
    expect(stamps(journal)).toEqual([1, 2, 3]);
    expect(journal.tail.head().visitChange).toBe(3);
  });

  it('J4: do not use the number of a transaction that was rolled back for two states', () => {
    using folder = new TemporaryFolder();
    using journal = Journal.open({ folder: folder.path });
    expect(() =>
      journal.transaction(() => {
        journal.tail.insertVisit(sampleVisit());
        throw new Error('no');
      }),
    ).toThrow('no');
    expect(journal.tail.readVisits(0, 100)).toEqual([]);
    journal.tail.insertVisit(sampleVisit());
    expect(journal.tail.readVisits(0, 100).map((row) => row.at(-1))).toEqual([
      journal.tail.head().visitChange,
    ]);
  });

  it('refuse to change one that is not there', () => {
    using folder = new TemporaryFolder();
    using journal = Journal.open({ folder: folder.path });
    expect(() => journal.tail.updateVisit({ id: 1, ...sampleVisit() })).toThrow(AssertionError);
  });

  it('tell the time of the first event of a site', () => {
    using folder = new TemporaryFolder();
    using journal = Journal.open({ folder: folder.path });
    const { tail } = journal;
    expect(tail.firstEventMs(1)).toBeUndefined();
    const id = tail.insertVisit(sampleVisit({ start_ms: 900 }));
    tail.insertVisit(sampleVisit({ start_ms: 800, site_id: 2 }));
    expect(tail.firstEventMs(1)).toBe(900);
    tail.updateVisit({ id, ...sampleVisit({ start_ms: 850 }) });
    expect(tail.firstEventMs(1)).toBe(850);
  });
});

/** One write by one of two connections; `keep` false means that its transaction is rolled back. */
interface Step {
  readonly writer: 0 | 1;
  readonly keep: boolean;
  readonly visitors: readonly bigint[];
  readonly change: { readonly last_ms: number; readonly exit_page: string; readonly city: string };
}

const step: fc.Arbitrary<Step> = fc.record({
  writer: fc.constantFrom(0, 1),
  keep: fc.boolean(),
  visitors: fc.array(fc.bigInt({ min: 1n, max: 4n }), { minLength: 1, maxLength: 4 }),
  change: fc.record({
    last_ms: fc.integer({ min: 1000, max: 1002 }),
    exit_page: fc.constantFrom('/', '/a'),
    city: fc.constantFrom('Berlin', 'Bonn'),
  }),
});

/** What a writer does: extends the visitor's visit or begins one. */
function write(journal: Journal, visitor: bigint, change: Step['change']): void {
  const [visit] = journal.tail.visitsOf(1, [visitor], EVER);
  if (visit === undefined) journal.tail.insertVisit(sampleVisit({ visitor, ...change }));
  else journal.tail.updateVisit({ ...visit, ...change, events: visit.events + 1 });
}

describe('two writers and a follower', () => {
  it('J10: a writer sees what is stored, whoever wrote it and whatever was rolled back', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 12 }), (steps) => {
        using folder = new TemporaryFolder();
        using first = Journal.open({ folder: folder.path });
        using second = Journal.open({ folder: folder.path });
        let model = new Map<bigint, { events: number } & Step['change']>();
        for (const { writer, keep, visitors, change } of steps) {
          const journal = writer === 0 ? first : second;
          const after = new Map(model);
          const work = () =>
            journal.transaction(() => {
              for (const visitor of visitors) {
                write(journal, visitor, change);
                after.set(visitor, { ...change, events: (after.get(visitor)?.events ?? 0) + 1 });
              }
              if (!keep) throw new Error('rolled back');
            });
          if (keep) work();
          else expect(work).toThrow('rolled back');
          if (keep) model = after;
          for (const [visitor, expected] of model) {
            expect(
              journal.transaction(() => journal.tail.visitsOf(1, [visitor], EVER)),
            ).toMatchObject([expected]);
          }
        }
      }),
      { numRuns: 25 },
    );
  });

  it('J10: a purge through the same connection is seen', () => {
    using folder = new TemporaryFolder();
    using journal = Journal.open({ folder: folder.path });
    const { id } = journal.sites.create({ domain: 'a.org', timezone: 'UTC', nowMs: 0 });
    const find = () => journal.transaction(() => journal.tail.visitsOf(id, [7n], EVER));
    journal.transaction(() => journal.tail.insertVisit(sampleVisit({ site_id: id })));
    expect(find()).toHaveLength(1);
    journal.sites.remove(id, 1);
    journal.sites.purgeStep(10);
    expect(find()).toEqual([]);
  });

  it('packs the rows that reading them one by one gives, whatever their text', () => {
    const text = fc
      .string({ unit: 'binary', maxLength: 8 })
      .map((raw) => raw.replaceAll('\0', '\n').toWellFormed());
    const cells = fc.record({ page: text, properties: fc.option(text, { nil: null }) });
    fc.assert(
      fc.property(
        fc.array(cells, { maxLength: 6 }),
        fc.integer({ min: 1, max: 7 }),
        (rows, max) => {
          using folder = new TemporaryFolder();
          using journal = Journal.open({ folder: folder.path });
          const { tail } = journal;
          journal.transaction(() => {
            for (const row of rows) {
              const visit_id = tail.insertVisit(sampleVisit({ entry_page: row.page }));
              tail.insertEvent(sampleEvent({ visit_id, ...row }));
            }
          });
          expect(unpacked(tail.packEvents(0, max))).toEqual(asText(tail.readEvents(0, max)));
          const visits = tail.readVisits(0, max);
          expect(unpacked(tail.packVisits(0, max))).toEqual(
            asText(visits.map((row) => row.slice(0, -1))),
          );
          expect(tail.packVisits(0, max).last).toBe(visits.at(-1)?.at(-1) ?? 0);
          expect(tail.packEvents(rows.length, max)).toEqual({ rowCount: 0, last: 0, columns: [] });
        },
      ),
      { numRuns: 25 },
    );
  });

  it('J7: a follower with any page size ends with the stored visits', () => {
    const sizes = fc.array(fc.integer({ min: 1, max: 5 }), { minLength: 1, maxLength: 8 });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 8 }), sizes, (steps, rowsMaxima) => {
        using folder = new TemporaryFolder();
        using journal = Journal.open({ folder: folder.path });
        const mirror = new Map<unknown, readonly unknown[]>();
        let after = 0;
        const follow = (rowsMax: number) => {
          const rows = journal.tail.readVisits(after, rowsMax);
          for (const row of rows) mirror.set(row[0], row);
          after = Number(rows.at(-1)?.at(-1) ?? after);
          return rows.length;
        };
        for (const [index, { visitors, change }] of steps.entries()) {
          journal.transaction(() => {
            for (const visitor of visitors) write(journal, visitor, change);
          });
          follow(rowsMaxima[index % rowsMaxima.length] ?? 1);
        }
        while (follow(1) > 0);
        const stored = journal.tail.readVisits(0, 1000);
        expect(new Set(mirror.values())).toEqual(new Set(stored));
        expect(after).toBe(journal.tail.head().visitChange);
      }),
      { numRuns: 25 },
    );
  });
});

describe('Tail ids and aliases', () => {
  it('remembers an id once per site until it is forgotten', () => {
    using folder = new TemporaryFolder();
    using journal = Journal.open({ folder: folder.path });
    const { tail } = journal;
    expect([tail.rememberId(1, 'a', 10), tail.rememberId(1, 'a', 99)]).toEqual([true, false]);
    expect(tail.rememberId(2, 'a', 20)).toBe(true);
    expect(tail.forgetIdsBefore(10)).toBe(0);
    expect(tail.forgetIdsBefore(11)).toBe(1);
    expect([tail.rememberId(1, 'a', 30), tail.rememberId(2, 'a', 30)]).toEqual([true, false]);
  });

  it('finds visitors by an alias until its latest end', () => {
    using folder = new TemporaryFolder();
    using journal = Journal.open({ folder: folder.path });
    const { tail } = journal;
    const alias = { siteId: 1, alias: -1n, visitor: 2n ** 63n - 1n, expiresMs: 20 };
    tail.addAlias(alias);
    tail.addAlias({ ...alias, expiresMs: 10 });
    tail.addAlias({ ...alias, visitor: 5n, expiresMs: 5 });
    expect(tail.aliasesOf(1, -1n)).toEqual([5n, 2n ** 63n - 1n]);
    expect([tail.aliasesOf(2, -1n), tail.aliasesOf(1, 5n)]).toEqual([[], []]);
    expect(tail.removeExpiredAliases(19)).toBe(1);
    expect(tail.aliasesOf(1, -1n)).toEqual([2n ** 63n - 1n]);
    expect(tail.removeExpiredAliases(20)).toBe(1);
  });

  it('J10: are met in a transaction whoever wrote them, and whatever was rolled back', () => {
    using folder = new TemporaryFolder();
    using journal = Journal.open({ folder: folder.path });
    using other = Journal.open({ folder: folder.path });
    const found = (alias: bigint) =>
      journal.transaction(() => journal.tail.aliasesOf(1, alias)).map(String);
    expect(found(1n)).toEqual([]);
    journal.tail.addAlias({ siteId: 1, alias: 1n, visitor: 10n, expiresMs: 5 });
    other.tail.addAlias({ siteId: 1, alias: 2n, visitor: 20n, expiresMs: 5 });
    expect([found(1n), found(2n), found(3n)]).toEqual([['10'], ['20'], []]);
    expect(() =>
      journal.transaction(() => {
        journal.tail.addAlias({ siteId: 1, alias: 3n, visitor: 30n, expiresMs: 5 });
        expect(journal.tail.aliasesOf(1, 3n)).toEqual([30n]);
        throw new Error('no');
      }),
    ).toThrow('no');
    expect(found(3n)).toEqual([]);
    other.tail.removeExpiredAliases(5);
    expect([found(1n), found(2n)]).toEqual([[], []]);
  });
});
