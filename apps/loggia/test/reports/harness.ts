import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Goal, Hit, QueryAnswer, Site } from '@loggia/contract';
import { TailWriter, type WriteOutcome } from '@loggia/ingest';
import { Journal, type NewGoal } from '@loggia/journal';
import { answerQuery, currentVisitorsStatement, parseQuery } from '@loggia/reports';
import { EmbeddedStore } from '@loggia/warehouse';
import type { Answer, MetricValue, QueryBody } from '../model/query.ts';

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
  currentVisitors(nowMs: number): Promise<number>;
}

/** The real pipeline from an enriched hit to an answer, in one process over a temporary folder. */
export class Pipeline {
  readonly #folder: string;
  readonly #journal: Journal;
  readonly #writer: TailWriter;
  readonly #store: EmbeddedStore;
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
    const store = await EmbeddedStore.open({ tail: journal.tail, limits });
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
      answer: (query, nowMs) => this.#answer(site, query, nowMs),
      currentVisitors: async (nowMs) => {
        const { rows } = await this.#store.query(currentVisitorsStatement(site.id, nowMs));
        return Number(rows[0]?.[0]);
      },
    };
  }

  async #answer(site: Site, body: QueryBody, nowMs: number): Promise<Answer> {
    const context = {
      site,
      nowMs,
      firstEventMs: body.date_range === 'all' ? await this.#firstEventMs(site.id) : undefined,
      goals: this.#journal.goals.list(site.id),
    };
    const query = parseQuery(JSON.parse(JSON.stringify(body)));
    const answer = await answerQuery(query, context, (statement) => this.#store.query(statement));
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
