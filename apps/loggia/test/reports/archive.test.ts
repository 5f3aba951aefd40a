import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Hit } from '@loggia/contract';
import { answerByModel } from '../model/answer.ts';
import { addDays, startOfDate } from '../model/local-time.ts';
import type { Filter } from '../model/query.ts';
import { Pipeline } from './harness.ts';
import { GOALS } from './random-filter.ts';
import { drafts, ODD_DAYS, transactionsOf } from './random-hits.ts';
import { queryDraft, queryOf } from './random-query.ts';

const SEED = Number(process.env['FC_SEED'] ?? Date.now() % 1_000_000_000);
const RUNS = Number(process.env['FC_RUNS'] ?? 12);
const TIMEOUT_MS = 120_000 + RUNS * 3000;
const LIMITS = {
  seed: SEED,
  numRuns: RUNS,
  interruptAfterTimeLimit: TIMEOUT_MS - 30_000,
  markInterruptAsFailure: true,
};

/** After this, all that was sealed is merged by month. */
const LONG_MS = 70 * 86_400_000;

const ONE_VALUE: readonly (readonly [string, string])[] = [
  ['visit:country', 'DE'],
  ['visit:source', 'Direct / None'],
  ['visit:utm_term', '(not set)'],
  ['visit:exit_page', '/a'],
  ['event:page', '/'],
  ['event:hostname', 'example.org'],
  ['event:name', 'Signup'],
];

/** Ranges over months, or over days of the odd one's neighbourhood. */
function rangeOf(metricCount: number, isShort: boolean) {
  return metricCount > 3
    ? { kind: 'named' as const, name: isShort ? '6mo' : 'year' }
    : { kind: 'days' as const, before: metricCount * 15, after: 1 };
}

/** A2: what is held here. Half of the queries are such as sums can answer. */
const summable = fc.tuple(queryDraft, fc.option(fc.nat())).map(([draft, pick]) => {
  const [name, value] = ONE_VALUE[(pick ?? 0) % ONE_VALUE.length] ?? ['', ''];
  const filters: Filter[] = pick === null ? [] : [['is', name, [value]]];
  const isByTime = draft.dimensions[0]?.startsWith('time') === true;
  const dimensions =
    pick === null || isByTime
      ? draft.dimensions.slice(0, 1)
      : [name].slice(Math.floor(pick / ONE_VALUE.length) % 2);
  const range = rangeOf(draft.metrics.length, draft.totalRows);
  return { ...draft, range, filters, dimensions };
});

const scenario = fc.record({
  oddDay: fc.constantFrom(...ODD_DAYS),
  drafted: drafts,
  now: fc.tuple(fc.constantFrom(0, 1, 2, 20, 40), fc.nat(86_399)),
  visitsMax: fc.integer({ min: 1, max: 9 }),
  /** How many of the transactions come before anything is sealed, in tenths. */
  early: fc.integer({ min: 2, max: 10 }),
  partsMax: fc.nat(5),
  mergesMax: fc.nat(4),
  /** Small enough that a month becomes several sets. */
  bytesMax: fc.constantFrom(60_000, 2 ** 24),
  queries: fc.array(fc.oneof(queryDraft, summable), { minLength: 2, maxLength: 4 }),
});

test(
  `sealed visits are answered as the model answers (FC_SEED=${SEED} FC_RUNS=${RUNS})`,
  async () => {
    await fc.assert(
      fc.asyncProperty(fc.noBias(scenario), async (drawn) => {
        const { oddDay, drafted, now, queries, visitsMax } = drawn;
        const pipeline = await Pipeline.open();
        try {
          const target = pipeline.addSite(oddDay.zone, GOALS);
          const { site, goals } = target;
          const transactions = transactionsOf(site.id, oddDay, drafted);
          for (const hits of transactions) target.write(hits);
          const nowMs = startOfDate(oddDay.zone, addDays(oddDay.date, now[0])) + now[1] * 1000;
          const model = { site, goals, hits: transactions.flat(), nowMs };
          await pipeline.seal(nowMs, { visitsMax, partsMax: drawn.partsMax * 4 });
          for (const query of queries) {
            const body = queryOf(query, site.domain, oddDay);
            const answer = await target.answer(body, nowMs);
            expect({ body, answer }).toEqual({ body, answer: answerByModel(model, body) });
          }
        } finally {
          await pipeline.close();
        }
      }),
      LIMITS,
    );
  },
  TIMEOUT_MS,
);

test(
  `sums answer as counting does, before and after sealing, with late events (FC_SEED=${SEED} FC_RUNS=${RUNS})`,
  async () => {
    await fc.assert(
      fc.asyncProperty(fc.noBias(scenario), async (drawn) => {
        const { oddDay, drafted, now, queries, visitsMax, partsMax } = drawn;
        const pipeline = await Pipeline.open();
        try {
          const target = pipeline.addSite(oddDay.zone, GOALS);
          const other = pipeline.addSite('Asia/Tokyo', GOALS);
          const { site } = target;
          const nowMs = startOfDate(oddDay.zone, addDays(oddDay.date, now[0])) + now[1] * 1000;
          const check = async (stage: string): Promise<void> => {
            for (const query of queries) {
              const body = queryOf(query, site.domain, oddDay);
              const answer = await target.answer(body, nowMs);
              expect({ stage, body, answer }).toEqual({
                stage,
                body,
                answer: await target.answerCounted(body, nowMs),
              });
            }
          };
          const transactions = transactionsOf(site.id, oddDay, drafted);
          const elsewhere = (hits: readonly Hit[]) =>
            hits.map((hit) => ({ ...hit, siteId: other.site.id }));
          const count = Math.ceil((transactions.length * drawn.early) / 10);
          for (const hits of transactions.slice(0, count)) {
            target.write(hits);
            other.write(elsewhere(hits));
          }
          await check('before');
          await pipeline.seal(nowMs, { visitsMax, partsMax });
          await check('sealed in part');
          await pipeline.seal(nowMs, { visitsMax });
          await check('sealed');
          await pipeline.merge(nowMs + LONG_MS, drawn);
          await check('merged in part');
          for (const hits of transactions.slice(count)) target.write(hits);
          await check('with late events');
          await pipeline.seal(nowMs, { visitsMax });
          await check('sealed again');
          await pipeline.merge(nowMs + LONG_MS, { bytesMax: drawn.bytesMax });
          await check('merged');
        } finally {
          await pipeline.close();
        }
      }),
      LIMITS,
    );
  },
  TIMEOUT_MS,
);
