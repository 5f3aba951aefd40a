import { mkdtempSync, readdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { PACKED_SEPARATOR, type Statement } from '@loggia/contract';
import type { EmbeddedStore, EmbeddedStoreOptions } from '../src/index.ts';
import { MemoryTail } from './memory-tail.ts';
import { ENDLESS, MIB, openStore } from './open-store.ts';

async function open(
  tail: MemoryTail,
  options: Partial<EmbeddedStoreOptions> = {},
): Promise<EmbeddedStore> {
  const store = await openStore(tail, options);
  onTestFinished(() => store.close());
  return store;
}

function sql(text: string, ...parameters: Statement['parameters']): Statement {
  return { sql: text, parameters };
}

const COUNTS = sql('SELECT (SELECT count(*) FROM event), (SELECT count(*) FROM visit)');

describe('what is in the answer', () => {
  test('an event committed before the call is in the answer (W1)', async () => {
    const tail = new MemoryTail();
    const store = await open(tail);
    for (let id = 1; id <= 5; id += 1) {
      tail.commit({ events: [{ visit_id: id }], visits: [{ id }] });
      expect((await store.query(COUNTS)).rows).toEqual([[id, id]]);
    }
  });

  test('an event committed while a catch-up runs is in the answer of a query after it (W1)', async () => {
    const tail = new MemoryTail();
    tail.commit({ events: [{}] });
    const store = await open(tail);
    const first = store.follow();
    tail.commit({ events: [{}] });
    const answer = store.query(COUNTS);
    await first;
    expect((await answer).rows).toEqual([[2, 0]]);
  });

  test('every column arrives as it was written, null included', async () => {
    const tail = new MemoryTail();
    const visitor = -(2n ** 63n);
    tail.commit({
      events: [
        {
          site_id: 7,
          visit_id: 3,
          visitor,
          time_ms: 1_700_000_000_123,
          name: 'Käufe 🛒',
          page: '/a\u0000b',
          properties: '{"plan":"pro","größe":"XL","":"empty key"}',
          revenue_milli: 12_345n,
          revenue_currency: 'EUR',
          interactive: 1,
          scroll_depth: 100,
        },
        {},
      ],
      visits: [{ id: 3, site_id: 7, visitor, bounce: 1, source: 'Google' }],
    });
    const store = await open(tail);
    const events = await store.query(
      sql(
        `SELECT site_id, visit_id, visitor = ?, time_ms, name, page, properties['größe'],
           properties[''], properties['none'], properties IS NULL, revenue_milli,
           revenue_currency, interactive, scroll_depth, engaged_ms
         FROM event ORDER BY id`,
        visitor,
      ),
    );
    expect(events.rows).toEqual([
      [
        7,
        3,
        true,
        1_700_000_000_123,
        'Käufe 🛒',
        '/a\u0000b',
        'XL',
        'empty key',
        null,
        false,
        12_345,
        'EUR',
        1,
        100,
        null,
      ],
      [0, 0, false, 0, '', '', null, null, null, true, null, null, 0, null, null],
    ]);
    const visits = await store.query(sql('SELECT id, bounce, source, country FROM visit'));
    expect(visits).toEqual({
      columns: ['id', 'bounce', 'source', 'country'],
      rows: [[3, 1, 'Google', null]],
    });
  });

  test('a changed visit replaces its older state, also over several steps (W4)', async () => {
    const tail = new MemoryTail();
    const store = await open(tail, { stepRowsMax: 2 });
    for (let round = 1; round <= 3; round += 1) {
      const visits = Array.from({ length: 5 }, (_, index) => ({ id: index + 1, pageviews: round }));
      for (const visit of visits) tail.commit({ events: [{}], visits: [visit] });
      const { rows } = await store.query(
        sql('SELECT count(*), min(pageviews), max(pageviews) FROM visit'),
      );
      expect(rows).toEqual([[5, round, round]]);
    }
    expect(await store.status()).toMatchObject({ events: 15, visits: 5 });
  });

  test('a visit that changes while the store loads is there once (W4)', async () => {
    const tail = new MemoryTail();
    for (let id = 1; id <= 20; id += 1) tail.commit({ visits: [{ id, pageviews: 1 }] });
    let changed = false;
    const store = await open(tail, {
      stepRowsMax: 4,
      tail: {
        head: () => tail.head(),
        packEvents: (afterId, rowsMax) => tail.packEvents(afterId, rowsMax),
        packVisits: (afterChange, rowsMax) => {
          if (afterChange >= 8 && !changed) {
            changed = true;
            tail.commit({ visits: [{ id: 2, pageviews: 9 }] });
          }
          return tail.packVisits(afterChange, rowsMax);
        },
      },
    });
    const { rows } = await store.query(sql('SELECT count(*), sum(pageviews) FROM visit'));
    expect(rows).toEqual([[20, 28]]);
  });

  test('a new epoch rebuilds both tables (W5)', async () => {
    const tail = new MemoryTail();
    const store = await open(tail);
    for (let id = 1; id <= 4; id += 1) {
      tail.commit({ events: [{ page: `/old${id}` }], visits: [{ id, source: 'old' }] });
    }
    await store.follow();
    tail.restore(2);
    tail.commit({ events: [{ page: '/new3' }], visits: [{ id: 3, source: 'new' }] });
    const pages = await store.query(sql(`SELECT string_agg(page, ' ' ORDER BY id) FROM event`));
    expect(pages.rows).toEqual([['/old1 /old2 /new3']]);
    const visits = await store.query(sql(`SELECT string_agg(source, ' ' ORDER BY id) FROM visit`));
    expect(visits.rows).toEqual([['old old new']]);
  });

  test('a journal that has gone back is read anew (W5)', async () => {
    const tail = new MemoryTail();
    const store = await open(tail);
    tail.commit({ events: [{}, {}, {}] });
    await store.follow();
    tail.restore(1);
    tail.epoch -= 1;
    expect((await store.query(COUNTS)).rows).toEqual([[1, 0]]);
  });

  test('rebuilding goes on, checkpoint included, while older queries run (W5, W6)', async () => {
    const tail = new MemoryTail();
    tail.commit({ events: Array.from({ length: 100 }, (_, id) => ({ page: `/${id}` })) });
    const store = await open(tail);
    await store.follow();
    const controller = new AbortController();
    const answer = store.query(sql('SELECT count(*) FROM event, range(1000000000)'), {
      signal: controller.signal,
    });
    // The answer to a later query: by then the one before has its snapshot and is running.
    await store.query(COUNTS);
    tail.restore(50);
    expect((await store.query(COUNTS)).rows).toEqual([[50, 0]]);
    controller.abort();
    await expect(answer).rejects.toMatchObject({ code: 'query_cancelled' });
  });

  test('a query larger than the memory spills into the folder given, and leaves it empty', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'loggia-warehouse-'));
    const store = await open(new MemoryTail(), {
      limits: { memoryBytes: 48 * MIB, threads: 1, tempFolder: join(folder, 'spill') },
    });
    const { rows } = await store.query(
      sql(
        `SELECT sum(length(s)), count(*) FROM
           (SELECT repeat('x', 100) || range AS s FROM range(600000) ORDER BY hash(range))`,
      ),
    );
    expect(rows).toEqual([[63_488_890, 600_000]]);
    await store.close();
    expect(readdirSync(folder)).toEqual([]);
  });

  test('what is written stays compressed after many changes of the same visits (W6)', async () => {
    const tail = new MemoryTail();
    const store = await open(tail);
    const ids = Array.from({ length: 2000 }, (_, index) => index + 1);
    const change = async (round: number): Promise<void> => {
      tail.commit({ visits: ids.map((id) => ({ id, pageviews: round, entry_page: `/p${id}` })) });
      await store.follow();
    };
    await change(0);
    const before = await store.status();
    for (let round = 1; round <= 130; round += 1) await change(round);
    const after = await store.status();
    const { rows } = await store.query(sql('SELECT count(*), min(pageviews) FROM visit'));
    expect(rows).toEqual([[2000, 130]]);
    expect(after.visits).toBe(2000);
    // Written uncompressed, 260,000 rows would take some 100 MB.
    expect(after.memoryBytes - before.memoryBytes).toBeLessThan(40 * MIB);
  });
});

describe('what a statement may do', () => {
  test.each([
    ['INSERT INTO event (id) VALUES (1)'],
    ['DELETE FROM visit'],
    ['DROP TABLE event'],
    ['CREATE TABLE x (i INTEGER)'],
    ["ATTACH '/tmp/x.duckdb'"],
    ["COPY event TO '/tmp/x.csv'"],
    ["SELECT * FROM read_csv('/etc/passwd')"],
    ["SELECT * FROM '/etc/passwd'"],
    ["SELECT * FROM glob('/etc/*')"],
    ['INSTALL httpfs'],
    ['LOAD httpfs'],
    ['SET threads = 8'],
    ['PRAGMA enable_profiling'],
    ['COMMIT'],
    ['CHECKPOINT'],
    ['EXPLAIN ANALYZE SELECT 1'],
    ['SELECT 1; SELECT 2'],
    ['SELECT 1; DROP TABLE event'],
    ['SELECT'],
    ['SELECT nothing FROM event'],
    [''],
  ])('%s is refused and leaves the store as it was (W7)', async (text) => {
    const tail = new MemoryTail();
    tail.commit({ events: [{}], visits: [{ id: 1 }] });
    const store = await open(tail);
    await expect(store.query(sql(text))).rejects.toMatchObject({
      name: 'WarehouseError',
      code: 'bad_statement',
    });
    expect((await store.query(COUNTS)).rows).toEqual([[1, 1]]);
    tail.commit({ events: [{}] });
    expect((await store.query(COUNTS)).rows).toEqual([[2, 1]]);
  });

  test('a wrong number of parameters is refused', async () => {
    const store = await open(new MemoryTail());
    const answer = store.query(sql('SELECT ? + ?', 1));
    await expect(answer).rejects.toMatchObject({ code: 'bad_statement' });
  });

  test('parameters keep their types', async () => {
    const store = await open(new MemoryTail());
    const { rows } = await store.query(
      sql(
        'SELECT typeof(?), typeof(?), typeof(?), typeof(?), typeof(?), ? IS NULL, ? = ?',
        'a',
        1,
        1.5,
        2n,
        true,
        null,
        2n ** 63n - 1n,
        2n ** 63n - 1n,
      ),
    );
    expect(rows).toEqual([['VARCHAR', 'BIGINT', 'DOUBLE', 'BIGINT', 'BOOLEAN', true, true]]);
  });

  test('numbers of every kind come back as numbers', async () => {
    const store = await open(new MemoryTail());
    const { rows } = await store.query(
      sql(
        `SELECT 1::TINYINT, 2::BIGINT, sum(3::BIGINT), 4::UBIGINT, 1.25::DECIMAL(9, 2), 0.5::DOUBLE,
           9007199254740991::HUGEINT, -1.5::DECIMAL(30, 1), true, NULL`,
      ),
    );
    expect(rows).toEqual([[1, 2, 3, 4, 1.25, 0.5, Number.MAX_SAFE_INTEGER, -1.5, true, null]]);
  });

  test.each([['SELECT 9007199254740993::BIGINT'], ["SELECT DATE '2024-01-01'"], ['SELECT [1, 2]']])(
    '%s has no answer',
    async (text) => {
      const store = await open(new MemoryTail());
      await expect(store.query(sql(text))).rejects.toMatchObject({ code: 'bad_answer' });
      expect((await store.query(sql('SELECT 1'))).rows).toEqual([[1]]);
    },
  );

  test.each(['(', '[a', 'a**', '*', '\\', 'a{9999}', '(?P<n', '\\p{Nope}', '(?<=a)'])(
    "the pattern %s is the asker's mistake",
    async (pattern) => {
      const tail = new MemoryTail();
      tail.commit({ events: [{ page: '/' }] });
      const store = await open(tail);
      const answer = store.query(
        sql('SELECT count(*) FROM event WHERE regexp_matches(page, ?)', pattern),
      );
      await expect(answer).rejects.toMatchObject({ name: 'HttpError', code: 'bad_query' });
    },
  );

  test('a cast that fails is no mistake of the asker', async () => {
    const store = await open(new MemoryTail());
    const answer = store.query(sql("SELECT 'x'::INTEGER FROM range(3)"));
    await expect(answer).rejects.toMatchObject({ code: 'statement_failed' });
  });
});

describe('limits', () => {
  test('a query past its time is ended, and the next one runs (W8)', async () => {
    const store = await open(new MemoryTail(), { queries: { runningMax: 1 } });
    const answer = store.query(ENDLESS, { timeoutMs: 20 });
    await expect(answer).rejects.toMatchObject({ name: 'HttpError', code: 'query_timeout' });
    expect((await store.query(sql('SELECT 1'))).rows).toEqual([[1]]);
  });

  test("the store's own time limit holds for a query that brings none", async () => {
    const store = await open(new MemoryTail(), { queries: { timeoutMs: 20 } });
    await expect(store.query(ENDLESS)).rejects.toMatchObject({ code: 'query_timeout' });
  });

  test('a query past the memory is ended, and the next one runs (W8)', async () => {
    const store = await open(new MemoryTail(), {
      limits: { memoryBytes: 48 * MIB, threads: 1 },
      queries: { runningMax: 1 },
    });
    for (let round = 0; round < 3; round += 1) {
      const answer = store.query(
        sql(
          "SELECT max(n) FROM (SELECT i, list(repeat('x', 200) || i) AS n FROM range(3000000) t(i) GROUP BY i)",
        ),
      );
      await expect(answer).rejects.toMatchObject({ name: 'HttpError', code: 'query_too_large' });
      expect((await store.query(sql('SELECT count(*) FROM range(100000)'))).rows).toEqual([
        [100_000],
      ]);
    }
  });

  test('an answer of more rows than allowed is refused, not cut (W8)', async () => {
    const store = await open(new MemoryTail(), { queries: { rowsMax: 5000 } });
    const rows = (count: number): Statement => sql('SELECT range FROM range(?)', count);
    expect((await store.query(rows(5000))).rows).toHaveLength(5000);
    await expect(store.query(rows(5001))).rejects.toMatchObject({ code: 'query_too_large' });
    await expect(store.query(rows(3), { rowsMax: 2 })).rejects.toMatchObject({
      code: 'query_too_large',
    });
    await expect(store.query(rows(1_000_000_000))).rejects.toMatchObject({
      code: 'query_too_large',
    });
  });

  test('a query cancelled before it is asked does nothing', async () => {
    const store = await open(new MemoryTail());
    const answer = store.query(ENDLESS, { signal: AbortSignal.abort() });
    await expect(answer).rejects.toMatchObject({ code: 'query_cancelled' });
  });

  test('queries wait in line, at most as many as allowed, and may leave it (W9)', async () => {
    const store = await open(new MemoryTail(), { queries: { runningMax: 1, waitingMax: 2 } });
    const first = new AbortController();
    const second = new AbortController();
    const running = store.query(ENDLESS, { signal: first.signal });
    const waiting = store.query(ENDLESS, { signal: second.signal });
    const last = store.query(sql('SELECT 1'));
    await expect(store.query(sql('SELECT 2'))).rejects.toMatchObject({ code: 'overloaded' });
    second.abort();
    await expect(waiting).rejects.toMatchObject({ code: 'query_cancelled' });
    first.abort();
    await expect(running).rejects.toMatchObject({ code: 'query_cancelled' });
    expect((await last).rows).toEqual([[1]]);
  });

  test('a running query is cancelled, at whatever moment (W8)', async () => {
    const store = await open(new MemoryTail(), { queries: { runningMax: 1 } });
    for (let turns = 0; turns < 12; turns += 1) {
      const controller = new AbortController();
      const answer = store.query(ENDLESS, { signal: controller.signal });
      for (let turn = 0; turn < turns; turn += 1) await new Promise(setImmediate);
      controller.abort();
      await expect(answer).rejects.toMatchObject({ code: 'query_cancelled' });
    }
    expect((await store.query(sql('SELECT 1'))).rows).toEqual([[1]]);
  });
});

describe('failure and end', () => {
  test('a journal that cannot be read fails the query; a later one succeeds (W3)', async () => {
    const tail = new MemoryTail();
    const store = await open(tail);
    tail.commit({ events: [{}] });
    tail.failure = new Error('disk I/O error');
    await expect(store.query(COUNTS)).rejects.toMatchObject({
      code: 'journal_unreadable',
      retryable: true,
    });
    await expect(store.follow()).rejects.toMatchObject({ code: 'journal_unreadable' });
    tail.failure = undefined;
    expect((await store.query(COUNTS)).rows).toEqual([[1, 0]]);
  });

  test('values that would shift a column are refused (W3)', async () => {
    const tail = new MemoryTail();
    const store = await open(tail);
    tail.commit({ events: [{ page: '/a' }] });
    await store.follow();
    tail.commit({ events: [{ page: `/b${PACKED_SEPARATOR}/c` }, { page: '/d' }] });
    await expect(store.query(COUNTS)).rejects.toMatchObject({ code: 'bad_row' });
    expect(await store.status()).toMatchObject({ events: 1, behindRows: 2 });
  });

  test('a value of the wrong kind is refused (W3)', async () => {
    const tail = new MemoryTail();
    const store = await open(tail);
    tail.commit({ events: [{ time_ms: 'noon' }] });
    await expect(store.query(COUNTS)).rejects.toMatchObject({ code: 'bad_row' });
  });

  test('a step that fails half way leaves nothing of itself (W3)', async () => {
    const tail = new MemoryTail();
    const store = await open(tail);
    tail.commit({ events: [{}], visits: [{ id: 1, pageviews: 1 }] });
    await store.follow();
    tail.commit({ events: [{ properties: 'not JSON' }], visits: [{ id: 1, pageviews: 2 }] });
    await expect(store.query(COUNTS)).rejects.toMatchObject({ code: 'bad_row' });
    expect(await store.status()).toMatchObject({ events: 1, visits: 1, eventId: 1, behindRows: 1 });
    tail.events[1] = [...(tail.events[0] ?? [])].with(0, 2);
    const { rows } = await store.query(
      sql('SELECT count(*), (SELECT sum(pageviews) FROM visit) FROM event'),
    );
    expect(rows).toEqual([[2, 2]]);
  });

  test('events that do not fit into the memory are refused with a hint (W3)', async () => {
    const tail = new MemoryTail();
    const big = 'x'.repeat(1000);
    let seed = 1;
    const noise = (): string => `${(seed = (seed * 48_271) % 2_147_483_647)}${big}${seed}`;
    tail.commit({
      events: Array.from({ length: 20_000 }, () => ({ page: noise(), name: noise() })),
    });
    const store = await open(tail, { limits: { memoryBytes: 16 * MIB, threads: 1 } });
    await expect(store.follow()).rejects.toMatchObject({
      code: 'store_full',
      hint: expect.stringContaining('memory'),
    });
    expect(await store.status()).toMatchObject({ ready: false });
  });

  test('a journal that grows faster than it is followed keeps nobody waiting (W2)', async () => {
    const tail = new MemoryTail();
    const store = await open(tail, {
      stepRowsMax: 2,
      tail: {
        head: () => tail.head(),
        packEvents: (afterId, rowsMax) => {
          tail.commit({ events: [{}, {}, {}] });
          return tail.packEvents(afterId, rowsMax);
        },
        packVisits: (afterChange, rowsMax) => tail.packVisits(afterChange, rowsMax),
      },
    });
    const { rows } = await store.query(sql('SELECT count(*) > 0 FROM event'));
    expect(rows).toEqual([[true]]);
  });

  test('the status tells how far loading is (W2)', async () => {
    const tail = new MemoryTail();
    tail.commit({ events: Array.from({ length: 300 }, () => ({})) });
    const store = await open(tail, { stepRowsMax: 10 });
    expect(await store.status()).toMatchObject({ events: 0, behindRows: 300, ready: false });
    await store.follow();
    expect(await store.status()).toMatchObject({ events: 300, behindRows: 0, ready: true });
  });

  test('closing ends running queries, waiting queries and a catch-up under way (W10)', async () => {
    const tail = new MemoryTail();
    tail.commit({ events: Array.from({ length: 500 }, () => ({})) });
    const store = await open(tail, { stepRowsMax: 5, queries: { runningMax: 1 } });
    const following = store.follow();
    const answers = [store.query(ENDLESS), store.query(COUNTS)];
    const closing = store.close();
    for (const answer of answers) {
      await expect(answer).rejects.toMatchObject({ name: 'HttpError', code: 'shutting_down' });
    }
    await expect(following).rejects.toMatchObject({ code: 'store_closed' });
    await closing;
    await store.close();
    await expect(store.query(COUNTS)).rejects.toMatchObject({ code: 'store_closed' });
    await expect(store.follow()).rejects.toMatchObject({ code: 'store_closed' });
    await expect(store.status()).rejects.toMatchObject({ code: 'store_closed' });
  });

  test('limits that make no sense are refused with a hint', async () => {
    const opening = openStore(new MemoryTail(), { limits: { memoryBytes: 64 * MIB, threads: 0 } });
    await expect(opening).rejects.toMatchObject({ code: 'open_failed' });
  });

  test('no file is written, spill files apart (W11)', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'loggia-warehouse-'));
    const before = readdirSync(process.cwd());
    const tail = new MemoryTail();
    tail.commit({ events: Array.from({ length: 5000 }, (_, id) => ({ page: `/${id}` })) });
    const store = await open(tail, {
      limits: { memoryBytes: 64 * MIB, threads: 1, tempFolder: join(folder, 'spill') },
    });
    await store.query(sql('SELECT page, count(*) FROM event GROUP BY page'));
    await store.close();
    expect(readdirSync(process.cwd())).toEqual(before);
    expect(readdirSync(folder).filter((name) => name !== 'spill')).toEqual([]);
  });
});
