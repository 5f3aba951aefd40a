import { statSync } from 'node:fs';
import { join } from 'node:path';
import { assert } from '@tandem/base';
import { Journal } from '@loggia/journal';
import { answerQuery, parseQuery, type QueryContext } from '@loggia/reports';
import { EmbeddedStore } from '@loggia/warehouse';
import {
  DASHBOARD_FILTERS,
  DASHBOARD_RANGES,
  DASHBOARD_REPORTS,
  type DashboardFilter,
  type DashboardRange,
  type DashboardReport,
} from '../archive/dashboard.ts';
import { AFTER_YEAR_MS, makeYear } from '../archive/make-year.ts';
import { RawEvents } from '../archive/raw-events.ts';
import { YEAR_DAYS, type YearShape } from '../archive/year-rows.ts';
import { folderBytes } from '../folder-bytes.ts';
import { measurementOf } from '../spread.ts';
import { defineWorkload, type BenchContext, type Measurement } from '../workload.ts';

/** What a pod of 512 MiB leaves to the engine. */
const ENGINE_BYTES = 205 * 2 ** 20;
const SITES = 40;
const PATHS = 5000;
/** How many fewer events the year has whose cost is compared. */
const FEWER = 10;

interface Stage {
  readonly year: OpenYear;
  readonly fewer: OpenYear;
  readonly raw: RawEvents;
  readonly folder: string;
  readonly rounds: number;
}

/** The dashboard's first view of the largest of 40 sites, against plain SQL over raw events. */
export const archiveReports = defineWorkload<Stage>({
  name: 'archive-reports',
  summary: "twelve reports of a busy site's year against plain SQL over the same events",
  setUp: async (context, stack) => {
    const shape = shapeOf(context);
    const folder = context.work.make('year');
    const fewerFolder = context.work.make('fewer');
    await makeYear(folder, shape, context.note);
    await makeYear(fewerFolder, { ...shape, events: shape.events / FEWER }, context.note);
    context.note('making the table of raw events');
    const raw = await RawEvents.make(context.work.nameOf('raw.duckdb'), shape);
    stack.defer(() => raw.close());
    const [year, fewer] = [await OpenYear.open(folder), await OpenYear.open(fewerFolder)];
    for (const opened of [year, fewer]) stack.defer(() => opened.close());
    return { year, fewer, raw, folder, rounds: context.quick ? 2 : 5 };
  },
  measure: async (stage, context) => {
    const { events } = shapeOf(context);
    const measurements: Measurement[] = [];
    for (const range of DASHBOARD_RANGES) {
      for (const filter of DASHBOARD_FILTERS) {
        measurements.push(...(await measureView(stage, { range, filter, events })));
      }
      context.note(`${range.name} done`);
    }
    measurements.push(await measureGrowth(stage, events), ...diskOf(stage.folder, events));
    return measurements;
  },
});

function shapeOf({ quick, archiveEvents }: BenchContext): YearShape {
  const events = archiveEvents ?? (quick ? 50_000 : 1_000_000);
  return { events, sites: SITES, days: YEAR_DAYS, paths: PATHS };
}

/** One dashboard view: all reports by ours, then all by plain SQL, round by round. */
async function measureView(
  { year, raw, rounds }: Stage,
  view: {
    readonly range: DashboardRange;
    readonly filter: DashboardFilter;
    readonly events: number;
  },
): Promise<readonly Measurement[]> {
  const { range, filter, events } = view;
  const ours: number[] = [];
  const theirs: number[] = [];
  for (let round = 0; round <= rounds; round += 1) {
    const our = await timeOf((report) => year.ask(report, range, filter));
    const their = await timeOf((report) => raw.ask(report, range, filter));
    // The first round warms up both.
    if (round === 0) continue;
    ours.push(our);
    theirs.push(their);
  }
  const parameters = { range: range.name, filter: filter.name, events };
  const ratios = ours.map((our, index) => our / (theirs[index] ?? our));
  return [
    measurementOf({ measure: 'twelve reports', unit: 'ms', parameters }, ours),
    measurementOf({ measure: 'the same over raw events', unit: 'ms', parameters }, theirs),
    measurementOf({ measure: 'reports / raw events', unit: 'ratio', parameters }, ratios),
  ];
}

/** The year's view with all events against one with a tenth of them, and the same values. */
async function measureGrowth({ year, fewer, rounds }: Stage, events: number): Promise<Measurement> {
  const [range] = DASHBOARD_RANGES;
  const [filter] = DASHBOARD_FILTERS;
  assert(range !== undefined && filter !== undefined, 'the first view is the whole year');
  const ratios: number[] = [];
  for (let round = 0; round <= rounds; round += 1) {
    const all = await timeOf((report) => year.ask(report, range, filter));
    const tenth = await timeOf((report) => fewer.ask(report, range, filter));
    if (round > 0) ratios.push(all / tenth);
  }
  const parameters = { range: '12 months', events, against: events / FEWER };
  return measurementOf(
    { measure: 'cost of ten times the events', unit: 'ratio', parameters },
    ratios,
  );
}

function diskOf(folder: string, events: number): readonly Measurement[] {
  const journal = statSync(join(folder, 'journal.db')).size;
  const cache = folderBytes(join(folder, 'cache'));
  const per = (measure: string, bytes: number): Measurement => ({
    measure,
    value: bytes / events,
    unit: 'bytes',
    parameters: { events },
  });
  return [
    per('journal per event', journal),
    per('cache per event', cache),
    per('disk per event', journal + cache),
  ];
}

async function timeOf(ask: (report: DashboardReport) => Promise<unknown>): Promise<number> {
  const begunMs = performance.now();
  for (const report of DASHBOARD_REPORTS) await ask(report);
  return performance.now() - begunMs;
}

/** A store over a sealed year, asked in this process. */
class OpenYear {
  readonly #journal: Journal;
  readonly #store: EmbeddedStore;
  readonly #context: QueryContext;

  private constructor(journal: Journal, store: EmbeddedStore) {
    this.#journal = journal;
    this.#store = store;
    const site = journal.sites.byId(1);
    assert(site !== undefined, 'the year has a first site');
    this.#context = { site, nowMs: AFTER_YEAR_MS, firstEventMs: undefined, goals: [] };
  }

  static async open(folder: string): Promise<OpenYear> {
    const journal = Journal.open({ folder, readOnly: true });
    const store = await EmbeddedStore.open({
      tail: {
        head: () => journal.tail.head(),
        packEvents: (afterId, rowsMax) => journal.tail.packEvents(afterId, rowsMax),
        packVisits: (afterChange, rowsMax) => journal.tail.packVisits(afterChange, rowsMax),
        snapshot: (body) => journal.snapshot(body),
        archive: journal.archive,
      },
      cacheFolder: join(folder, 'cache'),
      limits: { memoryBytes: ENGINE_BYTES, threads: 2 },
    });
    return new OpenYear(journal, store);
  }

  async ask(report: DashboardReport, range: DashboardRange, filter: DashboardFilter) {
    const dates = [range.firstDay, range.endDay - 1].map(isoDate);
    const { domain } = this.#context.site;
    const body = { site_id: domain, date_range: dates, filters: filter.filters, ...report.body };
    return answerQuery(parseQuery(body), this.#context, (statement) =>
      this.#store.query(statement),
    );
  }

  async close(): Promise<void> {
    await this.#store.close();
    this.#journal.close();
  }
}

function isoDate(day: number): string {
  return new Date(day * 86_400_000).toISOString().slice(0, 10);
}
