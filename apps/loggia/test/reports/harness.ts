import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Goal, Hit, QueryAnswer, Site } from '@loggia/contract';
import { Merger, SegmentBuilder, Sealer } from '@loggia/archive';
import { TailWriter, type WriteOutcome } from '@loggia/ingest';
import { Journal, type NewGoal } from '@loggia/journal';
import { answerQuery, currentVisitorsStatement, parseQuery, type Execute } from '@loggia/reports';
import { EmbeddedStore, SegmentCache } from '@loggia/warehouse';
import type { Answer, MetricValue, QueryBody } from '../model/query.ts';

const MIB = 1024 * 1024;

/** A goal that has no site yet. */
export type SiteGoal = WithoutSite<NewGoal>;
type WithoutSite<G> = G extends unknown ? Omit<G, 'siteId'> : never;

/** One site of a pipeline. */
export interface PipelineSite {
  readonly site: Site;
  readonly goals: readonly Goal[];
  /** Puts hits into the journal in one transaction, at the time of the last of them. */
  write(hits: readonly Hit[]): WriteOutcome[];
  /** What the reports answer to the query, as far as the model answers it too. */
  answer(query: QueryBody, nowMs: number): Promise<Answer>;
  /** The same from visits and events alone. */
  answerCounted(query: QueryBody, nowMs: number): Promise<Answer>;
  currentVisitors(nowMs: number): Promise<number>;
}

/** The real pipeline from an enriched hit to an answer, in one process over a temporary folder. */
export class Pipeline {
  readonly #folder: string;
  readonly #journal: Journal;
  readonly #writer: TailWriter;
  readonly #store: EmbeddedStore;
  #builder: SegmentBuilder | undefined;
  #siteCount = 0;

  private constructor(folder: string, journal: Journal, store: EmbeddedStore) {
    this.#folder = folder;
    this.#store = store;
    this.#journal = journal;
    this.#writer = new TailWriter(journal);
  }

  static async open(): Promise<Pipeline> {
    const folder = await mkdtemp(join(tmpdir(), 'loggia-reports-'));
    const journal = Journal.open({ folder });
    const limits = { memoryBytes: 256 * 1024 * 1024, threads: 2 };
    const tail = {
      head: () => journal.tail.head(),
      packEvents: (afterId: number, rowsMax: number) => journal.tail.packEvents(afterId, rowsMax),
      packVisits: (after: number, rowsMax: number) => journal.tail.packVisits(after, rowsMax),
      snapshot: <Result>(body: () => Result) => journal.snapshot(body),
      archive: journal.archive,
    };
    const store = await EmbeddedStore.open({ tail, limits, cacheFolder: join(folder, 'cache') });
    return new Pipeline(folder, journal, store);
  }

  addSite(timezone: string, goals: readonly SiteGoal[]): PipelineSite {
    this.#siteCount += 1;
    const domain = `site-${this.#siteCount}.example.org`;
    const site = this.#journal.sites.create({ domain, timezone, nowMs: 0 });
    for (const goal of goals) this.#journal.goals.create({ ...goal, siteId: site.id });
    return {
      site,
      goals: this.#journal.goals.list(site.id),
      write: (hits) => this.#writer.write(hits, Date.now()),
      answer: (query, nowMs) =>
        this.#answer(site, query, { nowMs, execute: (statement) => this.#store.query(statement) }),
      answerCounted: (query, nowMs) =>
        this.#answer(site, query, {
          nowMs,
          execute: ({ sql, parameters }) => this.#store.query({ sql, parameters }),
        }),
      currentVisitors: async (nowMs) => {
        const { rows } = await this.#store.query(currentVisitorsStatement(site.id, nowMs));
        return Number(rows[0]?.[0]);
      },
    };
  }

  /** Seals what is finished in parts of `visitsMax` visits, until there have been `partsMax`. */
  async seal(nowMs: number, { visitsMax = 5000, partsMax = Infinity } = {}): Promise<number> {
    const sealer = new Sealer({ journal: this.#journal, builder: await this.#open(), visitsMax });
    let parts = 0;
    while (parts < partsMax && (await sealer.sealNext(nowMs)) !== undefined) parts += 1;
    return parts;
  }

  /** Merges what would be due at `nowMs`, until there have been `mergesMax`. */
  async merge(nowMs: number, { bytesMax = 2 ** 24, mergesMax = Infinity } = {}): Promise<void> {
    const merger = new Merger({ journal: this.#journal, builder: await this.#open(), bytesMax });
    for (let merges = 0; merges < mergesMax; merges += 1) {
      if ((await merger.mergeNext(nowMs)) === undefined) return;
    }
  }

  async #open(): Promise<SegmentBuilder> {
    const cacheFolder = join(this.#folder, 'cache');
    const cache = new SegmentCache(cacheFolder, this.#journal.archive);
    this.#builder ??= await SegmentBuilder.open({ cacheFolder, cache, memoryBytes: 64 * MIB });
    return this.#builder;
  }

  async #answer(
    site: Site,
    body: QueryBody,
    { nowMs, execute }: { readonly nowMs: number; readonly execute: Execute },
  ): Promise<Answer> {
    const context = {
      site,
      nowMs,
      firstEventMs: body.date_range === 'all' ? await this.#firstEventMs(site.id) : undefined,
      goals: this.#journal.goals.list(site.id),
    };
    const query = parseQuery(JSON.parse(JSON.stringify(body)));
    const answer = await answerQuery(query, context, execute);
    return comparable(JSON.parse(JSON.stringify(answer)) as QueryAnswer);
  }

  async #firstEventMs(siteId: number): Promise<number | undefined> {
    const sql = 'SELECT min(time_ms) FROM event WHERE site_id = ?';
    const { rows } = await this.#store.query({ sql, parameters: [siteId] });
    const first = rows[0]?.[0];
    return typeof first === 'number' ? first : undefined;
  }

  async close(): Promise<void> {
    await this.#store.close();
    this.#builder?.close();
    this.#journal.close();
    await rm(this.#folder, { recursive: true, force: true });
  }
}

/** What the model answers too: not the echo of the query, and money without its spelling. */
function comparable({ results, meta }: QueryAnswer): Answer {
  return {
    results: results.map(({ dimensions, metrics, comparison }) => ({
      dimensions,
      metrics: metrics.map(plainMoney),
      ...(comparison === undefined
        ? {}
        : { comparison: { ...comparison, metrics: comparison.metrics.map(plainMoney) } }),
    })),
    ...(meta.time_labels === undefined ? {} : { time_labels: meta.time_labels }),
    ...(meta.total_rows === undefined ? {} : { total_rows: meta.total_rows }),
  };
}

function plainMoney(value: QueryAnswer['results'][number]['metrics'][number]): MetricValue {
  if (value === null || typeof value === 'number') return value;
  return { value: value.value, currency: value.currency };
}
