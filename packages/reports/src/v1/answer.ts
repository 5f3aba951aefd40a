import type { MetricValue, QueryAnswer } from '@loggia/contract';

import { answerQuery, type Execute } from '../answer.ts';
import type { Query, QueryContext } from '../query.ts';
import { emptyValue } from '../shape.ts';
import type { V1Request } from './request.ts';
import { unreachable } from '../unreachable.ts';

/** What the older interface answers: an object of metrics, or a list of rows. */
export interface V1Answer {
  readonly results:
    | Readonly<Record<string, { readonly value: MetricValue; readonly change?: number | null }>>
    | readonly Readonly<Record<string, MetricValue | string>>[];
}

/**
 * Answers a call of the older interface.
 *
 * @throws HttpError `bad_query` as `answerQuery`, and whatever `execute` throws.
 */
export async function answerV1(
  request: V1Request,
  context: QueryContext,
  execute: Execute,
): Promise<V1Answer> {
  const { query } = request;
  const answer = await answerQuery(query, context, execute);
  switch (request.kind) {
    case 'aggregate':
      return { results: aggregateResults(query, answer) };
    case 'timeseries':
      return { results: timeseriesResults(query, answer) };
    case 'breakdown':
      return { results: rowsBy(request.property, query, answer) };
    default:
      throw unreachable(request);
  }
}

function aggregateResults(query: Query, answer: QueryAnswer) {
  const [row] = answer.results;
  const results: Record<string, { value: MetricValue; change?: number | null }> = {};
  for (const [index, name] of query.metrics.entries()) {
    const value = row?.metrics[index] ?? null;
    results[name] =
      row?.comparison === undefined
        ? { value }
        : { value, change: row.comparison.change[index] ?? null };
  }
  return results;
}

/** Every step of the range has a row, with or without events. */
function timeseriesResults(query: Query, answer: QueryAnswer) {
  const known = new Map(rowsBy('date', query, answer).map((row) => [row.date, row]));
  const empty = Object.fromEntries(query.metrics.map((name) => [name, emptyValue(name)]));
  const labels = answer.meta.time_labels ?? [];
  return labels.map((date) => known.get(date) ?? { date, ...empty });
}

function rowsBy(property: string, query: Query, answer: QueryAnswer) {
  return answer.results.map((row) => {
    const metrics = query.metrics.map((name, index) => [name, row.metrics[index] ?? null] as const);
    return Object.fromEntries<MetricValue | string>([
      [property, row.dimensions[0] ?? ''],
      ...metrics,
    ]);
  });
}
