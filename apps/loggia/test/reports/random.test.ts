import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { answerByModel } from '../model/answer.ts';
import { addDays, startOfDate } from '../model/local-time.ts';
import { Pipeline } from './harness.ts';
import { drafts, ODD_DAYS, transactionsOf } from './random-hits.ts';
import { GOALS } from './random-filter.ts';
import { queryDraft, queryOf } from './random-query.ts';

const SEED = Number(process.env['FC_SEED'] ?? Date.now() % 1_000_000_000);
const RUNS = Number(process.env['FC_RUNS'] ?? 150);
const TIMEOUT_MS = 120_000 + RUNS * 1000;

let pipeline: Pipeline;
beforeAll(async () => {
  pipeline = await Pipeline.open();
});
afterAll(async () => {
  await pipeline.close();
});

const scenario = fc.record({
  oddDay: fc.constantFrom(...ODD_DAYS),
  drafted: drafts,
  /** Whole days after the odd day, and a second of the day, at which the queries are asked. */
  now: fc.tuple(fc.constantFrom(0, 0, 1, 2, 20, 40), fc.nat(86_399)),
  queries: fc.array(queryDraft, { minLength: 1, maxLength: 2 }),
});

test(
  `the pipeline answers as the model does (FC_SEED=${SEED} FC_RUNS=${RUNS})`,
  async () => {
    await fc.assert(
      fc.asyncProperty(fc.noBias(scenario), async ({ oddDay, drafted, now, queries }) => {
        const target = pipeline.addSite(oddDay.zone, GOALS);
        const { site, goals } = target;
        const transactions = transactionsOf(site.id, oddDay, drafted);
        for (const hits of transactions) target.write(hits);
        const nowMs = startOfDate(oddDay.zone, addDays(oddDay.date, now[0])) + now[1] * 1000;
        const model = { site, goals, hits: transactions.flat(), nowMs };
        for (const query of queries) {
          const body = queryOf(query, site.domain, oddDay);
          const answer = await target.answer(body, nowMs);
          expect({ body, answer }).toEqual({ body, answer: answerByModel(model, body) });
        }
      }),
      {
        seed: SEED,
        numRuns: RUNS,
        interruptAfterTimeLimit: TIMEOUT_MS - 30_000,
        markInterruptAsFailure: true,
      },
    );
  },
  TIMEOUT_MS,
);
