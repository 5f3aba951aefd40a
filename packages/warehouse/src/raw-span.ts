import type { LateParameter, LateStatement, RolledUp, Statement } from '@loggia/contract';

/** The stretch of a range that has to be counted from visits and events. */
export interface RawSpan {
  readonly fromMs: number;
  readonly toMs: number;
  readonly fromDay: number;
  readonly endDay: number;
}

/** From the first start to the last activity of the site's visits in the tail that touch a range. */
export interface TailSpan {
  readonly firstMs: number;
  readonly lastMs: number;
}

/**
 * What has to be counted: all days that a visit of the tail touches, with the days between, and what
 * the range has beyond its last whole day. Undefined when nothing has to be.
 */
export function rawSpan(range: RolledUp, tail: TailSpan | undefined): RawSpan | undefined {
  const { dayStartsMs, firstDay, toMs } = range;
  const dayCount = dayStartsMs.length - 1;
  const lastEndMs = dayStartsMs[dayCount] ?? toMs;
  const from =
    tail === undefined ? dayCount : Math.max(0, daysBegun(dayStartsMs, tail.firstMs) - 1);
  const end = tail === undefined ? dayCount : daysBegun(dayStartsMs, tail.lastMs);
  const reachesEnd = toMs > lastEndMs || end > dayCount;
  if (!reachesEnd && tail === undefined) return undefined;
  const endIndex = reachesEnd ? dayCount : end;
  return {
    fromMs: dayStartsMs[from] ?? lastEndMs,
    toMs: reachesEnd ? toMs : (dayStartsMs[endIndex] ?? toMs),
    fromDay: firstDay + from,
    endDay: firstDay + endIndex,
  };
}

/** How many of the days have begun at the instant. */
function daysBegun(startsMs: readonly number[], timeMs: number): number {
  let low = 0;
  let high = startsMs.length;
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    if ((startsMs[middle] ?? Infinity) <= timeMs) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** The statement with its late parameters filled in. */
export function completed(
  statement: LateStatement,
  late: Readonly<Record<LateParameter['late'], number>>,
): Statement {
  const parameters = statement.parameters.map((parameter) =>
    typeof parameter === 'object' ? late[parameter.late] : parameter,
  );
  return { sql: statement.sql, parameters };
}
