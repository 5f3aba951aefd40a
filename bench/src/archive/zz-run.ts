import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { Journal } from '@loggia/journal';
import { answerQuery, parseQuery } from '@loggia/reports';
import { EmbeddedStore } from '@loggia/warehouse';
import { DASHBOARD_FILTERS, DASHBOARD_RANGES, DASHBOARD_REPORTS } from './dashboard.ts';
import { RawEvents } from './raw-events.ts';
const [folder = '', events = '0', only = ''] = process.argv.slice(2);
const shape = { events: Number(events), sites: 40, days: 365, paths: 5000 };
const journal = Journal.open({ folder });
const tail = {
  head: () => journal.tail.head(),
  packEvents: (a: number, r: number) => journal.tail.packEvents(a, r),
  packVisits: (a: number, r: number) => journal.tail.packVisits(a, r),
  archive: journal.archive,
};
const store = await EmbeddedStore.open({
  tail,
  cacheFolder: join(folder, 'cache'),
  limits: { memoryBytes: 400 * 2 ** 20, threads: 2 },
});
const rawPath = join(folder, 'raw.duckdb');
rmSync(rawPath, { force: true });
const t0 = performance.now();
let raw: RawEvents | undefined;
if (only === 'x') {
  raw = await RawEvents.make(rawPath, shape);
  console.log('raw made', performance.now() - t0);
}
const site = journal.sites.byId(1)!;
const cpu = () => {
  const u = process.cpuUsage();
  return (u.user + u.system) / 1000;
};
for (const range of DASHBOARD_RANGES)
  for (const filter of DASHBOARD_FILTERS) {
    const iso = (d: number) => new Date(d * 86400000).toISOString().slice(0, 10);
    const ours: number[] = [],
      theirs: number[] = [];
    const each: string[] = [];
    let oc = 0,
      tc = 0;
    for (const report of DASHBOARD_REPORTS) {
      const query = parseQuery({
        site_id: site.domain,
        date_range: [iso(range.firstDay), iso(range.endDay - 1)],
        filters: filter.filters,
        ...report.body,
      });
      const ask = () =>
        answerQuery(
          query,
          { site, nowMs: Date.parse('2026-01-10'), firstEventMs: undefined, goals: [] },
          (s) => store.query(s),
        );
      const time = async (f: () => Promise<unknown>) => {
        await f();
        let best = 1e9,
          c = 1e9;
        for (let i = 0; i < 3; i++) {
          const t = performance.now(),
            c0 = cpu();
          await f();
          best = Math.min(best, performance.now() - t);
          c = Math.min(c, cpu() - c0);
        }
        return [best, c];
      };
      const [a = 0, ac = 0] = await time(ask);
      const [b = 0, bc = 0] = raw ? await time(() => raw.ask(report, range, filter)) : [0, 0];
      ours.push(a);
      theirs.push(b);
      oc += ac;
      tc += bc;
      each.push(`${report.name} ${ac.toFixed(0)}/${bc.toFixed(0)}`);
    }
    const s = (x: number[]) => x.reduce((p, q) => p + q, 0);
    console.log(
      range.name,
      filter.name,
      'ours',
      s(ours).toFixed(0),
      'raw',
      s(theirs).toFixed(0),
      'wall',
      (s(ours) / s(theirs)).toFixed(3),
      'cpu',
      oc.toFixed(0),
      tc.toFixed(0),
      (oc / tc).toFixed(3),
      '|',
      each.join(', '),
    );
  }
await store.close();
raw?.close();
console.log('rss', process.memoryUsage().rss / 2 ** 20);
