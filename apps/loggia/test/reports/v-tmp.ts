import fc from 'fast-check';
import { formVisits, startMs, lastMs, pageviewsOf } from '../model/visits.ts';
import { drafts, ODD_DAYS, transactionsOf } from './random-hits.ts';
import { GOALS } from './random-query.ts';
import { mkdtempSync } from 'node:fs';
import { Journal } from '@loggia/journal';
import { TailWriter } from '@loggia/ingest';
import { DatabaseSync } from 'node:sqlite';
const folder = mkdtempSync('/tmp/lgv-');
const j = Journal.open({ folder });
const w = new TailWriter(j);
const db = new DatabaseSync(folder + '/journal.db');
const from = Number(process.argv[2]),
  to = Number(process.argv[3]),
  N = Number(process.argv[4]);
let bad = 0,
  total = 0;
for (let seed = from; seed <= to; seed++) {
  const cases = fc.sample(fc.noBias(fc.tuple(fc.constantFrom(...ODD_DAYS), drafts)), {
    numRuns: N,
    seed,
  });
  cases.forEach(([od, dr], i) => {
    const site = j.sites.create({
      domain: `s${seed}-${i}.example.org`,
      timezone: od.zone,
      nowMs: 0,
    });
    const tr = transactionsOf(site.id, od, dr);
    for (const h of tr) w.write(h);
    total++;
    const m = formVisits(tr.flat())
      .visits.map((v) =>
        [startMs(v), lastMs(v), v.visitor.toString(), pageviewsOf(v).length, v.hits.length].join(),
      )
      .sort();
    const st = db.prepare(
      'select start_ms,last_ms,visitor,pageviews,(select count(*) from event e where e.visit_id=v.id) n from visit v where site_id=?',
    );
    st.setReadBigInts(true);
    const r = st
      .all(site.id)
      .map((x: any) => Object.values(x).map(String).join())
      .sort();
    if (JSON.stringify(m) !== JSON.stringify(r)) {
      bad++;
      if (bad < 3) {
        console.log('MISMATCH seed', seed, 'case', i, od);
        const mm = m.filter((x) => !r.includes(x)),
          rr = r.filter((x) => !m.includes(x));
        const f = (x: string) => {
          const p = x.split(',');
          return (
            new Date(+p[0]!).toISOString() +
            ' ' +
            new Date(+p[1]!).toISOString() +
            ' ' +
            p.slice(2).join(' ')
          );
        };
        console.log('model', mm.map(f));
        console.log('real ', rr.map(f));
        const vs = new Set([...mm, ...rr].map((x) => x.split(',')[2]));
        let k = 0;
        for (const t of tr) {
          k++;
          for (const h of t)
            if (
              [...vs].some((v) => h.visitor.toString() === v || h.visitorBefore?.toString() === v)
            )
              console.log(k, new Date(h.timeMs).toISOString(), h.name, h.visitor, h.visitorBefore);
        }
      }
    }
  });
}
console.log({ bad, total });
