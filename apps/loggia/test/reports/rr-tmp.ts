import fc from 'fast-check';
import { isDeepStrictEqual } from 'node:util';
import { answerByModel } from '../model/answer.ts';
import { addDays, startOfDate } from '../model/local-time.ts';
import { drafts, ODD_DAYS, transactionsOf } from './random-hits.ts';
import { GOALS, queryFor } from './random-query.ts';
import { Pipeline } from './harness.ts';
const seed = Number(process.argv[2] ?? 1),
  N = Number(process.argv[3] ?? 40),
  show = Number(process.argv[4] ?? 6);
const only = process.argv[5];
const p = await Pipeline.open();
let n = 0,
  bad = 0,
  tm = 0,
  tp = 0,
  tw = 0;
const by: any = {};
const cases = fc.sample(fc.noBias(fc.tuple(fc.constantFrom(...ODD_DAYS), drafts)), {
  numRuns: N,
  seed,
});
for (const [od, dr] of cases) {
  const t = p.addSite(od.zone, GOALS);
  const tr = transactionsOf(t.site.id, od, dr);
  let a = performance.now();
  for (const h of tr) t.write(h);
  tw += performance.now() - a;
  for (const q of fc.sample(fc.noBias(queryFor(t.site.domain, od)), {
    numRuns: 3,
    seed: seed * 1000 + n,
  })) {
    const nowMs =
      startOfDate(od.zone, addDays(od.date, n % 3 === 0 ? 1 : 0)) + ((n * 7919) % 86400) * 1000;
    n++;
    a = performance.now();
    const m = answerByModel({ site: t.site, goals: t.goals, hits: tr.flat(), nowMs }, q as any);
    tm += performance.now() - a;
    a = performance.now();
    let r: any;
    try {
      r = await t.answer(q as any, nowMs);
    } catch (e: any) {
      r = { error: e.message };
    }
    tp += performance.now() - a;
    if (!isDeepStrictEqual(JSON.parse(JSON.stringify(m)), JSON.parse(JSON.stringify(r)))) {
      bad++;
      const key = r.error
        ? 'ERR ' + r.error
        : (() => {
            if (m.results.length !== r.results.length) return 'rowcount ' + q.metrics.join();
            const s = new Set<string>();
            m.results.forEach((row: any, i: number) => {
              if (!isDeepStrictEqual(row.dimensions, r.results[i].dimensions)) s.add('dims');
              row.metrics.forEach((v: any, j: number) => {
                if (!isDeepStrictEqual(v, r.results[i].metrics[j])) s.add(String(q.metrics[j]));
              });
            });
            if (m.total_rows !== r.total_rows) s.add('total');
            if (!isDeepStrictEqual(m.time_labels, r.time_labels)) s.add('labels');
            return [...s].join();
          })();
      by[key] = (by[key] ?? 0) + 1;
      if (bad <= show && (!only || key.includes(only)))
        console.log(
          '----',
          key,
          od,
          new Date(nowMs).toISOString(),
          '\n',
          JSON.stringify(q),
          '\nmodel',
          JSON.stringify(m).slice(0, 700),
          '\nreal ',
          JSON.stringify(r).slice(0, 700),
        );
    }
  }
}
console.log({ n, bad, tm, tp, tw, by });
await p.close();
