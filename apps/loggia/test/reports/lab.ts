import { afterAll, beforeAll, expect } from 'vitest';
import type { Hit } from '@loggia/contract';
import { answerByModel } from '../model/answer.ts';
import { eventTable, type EventTable } from '../model/events.ts';
import type { Answer, MetricValue, QueryBody } from '../model/query.ts';
import { currentVisitorsOf, formVisits } from '../model/visits.ts';
import { Pipeline, type PipelineSite, type SiteGoal } from './harness.ts';

/** A query on the lab's own site and, unless it says otherwise, on the table's own date. */
export type LabQuery = Omit<QueryBody, 'site_id' | 'date_range'> &
  Partial<Pick<QueryBody, 'date_range'>>;

/** One row: the values of its dimensions and of its metrics. */
export type LabRow = readonly [readonly string[], readonly MetricValue[]];

/** What a table of events is put into: a site in the model and in the real pipeline at once. */
export interface LabSite extends EventTable {
  readonly date: string;
  readonly pipeline: PipelineSite;
  /** The hits arrive one after another in the order of the table. */
  receive(hits: readonly Hit[]): void;
  /** The clock of later queries; until set it is the last second of the table's date. */
  setNow(time: string): void;
  /** The metrics of a query without dimensions. */
  totals(query: LabQuery): Promise<readonly MetricValue[]>;
  /** The rows of an answer in their order. */
  rows(query: LabQuery): Promise<LabRow[]>;
  /** Rows, labels and the count of rows. Fails when model and pipeline answer differently. */
  answer(query: LabQuery): Promise<Answer>;
  /** The visitors of the last five minutes, on which model and pipeline agree. */
  currentVisitors(): Promise<number>;
}

/** A place where sites are made. */
export interface Lab {
  site(zone: string, date: string, goals?: readonly SiteGoal[]): LabSite;
}

/** Opens a pipeline for the tests of one file and closes it after them. */
export function openLab(): Lab {
  let pipeline: Pipeline | undefined;
  beforeAll(async () => {
    pipeline = await Pipeline.open();
  });
  afterAll(async () => {
    await pipeline?.close();
  });
  return {
    site(zone, date, goals = []) {
      if (pipeline === undefined) throw new Error('the lab is open only within tests');
      return labSite(pipeline.addSite(zone, goals), date);
    },
  };
}

function labSite(pipeline: PipelineSite, date: string): LabSite {
  const { site, goals } = pipeline;
  const table = eventTable(site.id, site.timezone, date);
  const hits: Hit[] = [];
  let nowMs = table.at(`${date} 23:59:59`);

  const answer = async (query: LabQuery): Promise<Answer> => {
    const body: QueryBody = { site_id: site.domain, date_range: [date, date], ...query };
    const ofModel = answerByModel({ site, goals, hits, nowMs }, body);
    const ofPipeline = await pipeline.answer(body, nowMs);
    expect({ ofPipeline }).toEqual({ ofPipeline: ofModel });
    return ofPipeline;
  };
  const rows = async (query: LabQuery): Promise<LabRow[]> => {
    const { results } = await answer(query);
    return results.map((row) => [row.dimensions, row.metrics]);
  };
  return {
    ...table,
    date,
    pipeline,
    receive(more) {
      hits.push(...more);
      for (const hit of more) pipeline.write([hit]);
    },
    setNow(time) {
      nowMs = table.at(time);
    },
    async totals(query) {
      const [row, ...more] = await rows(query);
      expect(more).toEqual([]);
      return row?.[1] ?? [];
    },
    rows,
    answer,
    async currentVisitors() {
      const ofPipeline = await pipeline.currentVisitors(nowMs);
      expect({ ofPipeline }).toEqual({
        ofPipeline: currentVisitorsOf(formVisits(hits).visits, nowMs),
      });
      return ofPipeline;
    },
  };
}
