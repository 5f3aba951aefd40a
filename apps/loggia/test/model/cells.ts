import type { Goal, Hit } from '@loggia/contract';
import { bucketOf } from './buckets.ts';
import { labelForNothing, reaches, valueOf } from './dimension.ts';
import { pagePasses, satisfies } from './filter.ts';
import { isLeaf, type Filter } from './query.ts';
import type { Range } from './range.ts';
import { entryOf, exitOf, isPing, pageviewsOf, startMs, type ModelVisit } from './visits.ts';

/** A part of a site's data: a range, under filters, by dimensions. */
export interface Selection {
  readonly visits: readonly ModelVisit[];
  readonly goals: readonly Goal[];
  readonly zone: string;
  readonly range: Range;
  readonly filters: readonly Filter[];
  readonly dimensions: readonly string[];
}

/** An event or ping together with its visit. */
export interface Happening {
  readonly visit: ModelVisit;
  readonly hit: Hit;
}

/** All that belongs to one row of an answer. */
export interface Cell {
  readonly dimensions: readonly string[];
  /** Visits that began in the range, with a fitting event in this cell. */
  readonly visits: Set<ModelVisit>;
  /** The same by where they entered, where a page or host is a dimension. */
  readonly entered: Set<ModelVisit>;
  /** The same by where they left. */
  readonly exited: Set<ModelVisit>;
  /** Page views in visits that began in the range. */
  readonly views: Set<Hit>;
  /** Engagement pings in visits that began in the range. */
  readonly pings: Set<Happening>;
  /** Fitting page views and custom events of the range by their own time. */
  readonly events: Set<Hit>;
}

/** Sorts everything that a selection selects into the cells of its rows. */
export function cellsOf(selection: Selection): Cell[] {
  const cells = new Cells();
  if (selection.dimensions.length === 0) cells.at([]);
  for (const visit of selection.visits) {
    const fitting = visit.hits.filter((hit) => fits(selection, visit, hit));
    for (const hit of fitting.filter((one) => !isPing(one))) {
      if (!isWithin(selection.range, hit.timeMs)) continue;
      for (const key of keysOf(selection, visit, hit, hit.timeMs)) cells.at(key).events.add(hit);
    }
    if (fitting.length > 0 && isWithin(selection.range, startMs(visit))) {
      addVisit(cells, selection, visit, fitting);
    }
    addViews(cells, selection, visit);
  }
  return cells.all();
}

function addVisit(cells: Cells, selection: Selection, visit: ModelVisit, fitting: Hit[]): void {
  const began = startMs(visit);
  for (const hit of fitting) {
    for (const key of keysOf(selection, visit, hit, began)) cells.at(key).visits.add(visit);
  }
  const isByPlace = ['event:page', 'event:hostname'].some((d) => selection.dimensions.includes(d));
  const [entry, exit] = [entryOf(visit), exitOf(visit)];
  for (const hit of isByPlace ? (entry === undefined ? [] : [entry]) : fitting) {
    for (const key of keysOf(selection, visit, hit, began)) cells.at(key).entered.add(visit);
  }
  for (const hit of exit === undefined ? [] : [exit]) {
    const keys = keysOf(byView(selection), visit, hit, began);
    for (const key of keys) cells.at(key).exited.add(visit);
  }
  for (const hit of visit.hits.filter(isPing)) {
    if (!pagePasses(selection.filters, visit, hit)) continue;
    for (const key of keysOf(selection, visit, hit, began)) {
      const cell = cells.at(key);
      if (cell.visits.has(visit)) cell.pings.add({ visit, hit });
    }
  }
}

/** The page views that exits are divided by: all those in the visits that began in the range. */
function addViews(cells: Cells, selection: Selection, visit: ModelVisit): void {
  const viewed = byView(selection);
  if (!isWithin(selection.range, startMs(visit))) return;
  if (!visit.hits.some((hit) => fits(viewed, visit, hit))) return;
  for (const hit of pageviewsOf(visit)) {
    for (const key of keysOf(viewed, visit, hit, startMs(visit))) cells.at(key).views.add(hit);
  }
}

/**
 * An exit rate by exit page asks how often a view of that page was the last one, so that choosing
 * exit pages does not choose among the views.
 */
function byView(selection: Selection): Selection {
  if (!selection.dimensions.includes('visit:exit_page')) return selection;
  return {
    ...selection,
    dimensions: selection.dimensions.map((name) =>
      name === 'visit:exit_page' ? 'event:page' : name,
    ),
    filters: selection.filters.filter((one) => !isLeaf(one) || one[1] !== 'visit:exit_page'),
  };
}

/**
 * Whether an event passes every filter; 'one event must satisfy all the event filters together'. A
 * ping passes only as what reaches a scroll goal that is asked for.
 */
function fits(selection: Selection, visit: ModelVisit, hit: Hit): boolean {
  if (isPing(hit) && !askedGoals(selection).some((goal) => reaches(goal, hit))) return false;
  return selection.filters.every((filter) => satisfies(filter, visit, hit, selection.goals));
}

/** The goals that a query's dimensions or filters speak of. */
function askedGoals(selection: Selection): Goal[] {
  const isFiltered = selection.filters.some((one) => isLeaf(one) && one[1] === 'event:goal');
  return isFiltered || selection.dimensions.includes('event:goal') ? listedGoals(selection) : [];
}

function isWithin(range: Range, timeMs: number): boolean {
  return range.fromMs <= timeMs && timeMs < range.toMs;
}

/** The rows that something belongs to: one, but for goals, of which an event may reach several. */
function keysOf(selection: Selection, visit: ModelVisit, hit: Hit, timeMs: number): string[][] {
  let keys: string[][] = [[]];
  for (const dimension of selection.dimensions) {
    const values = valuesOf(selection, dimension, { visit, hit }, timeMs);
    keys = keys.flatMap((key) => values.map((value) => [...key, value]));
  }
  return keys;
}

function valuesOf(
  selection: Selection,
  dimension: string,
  { visit, hit }: Happening,
  timeMs: number,
): string[] {
  if (dimension.startsWith('time')) {
    return [bucketOf(dimension, timeMs, selection.zone, selection.range)];
  }
  if (dimension !== 'event:goal') {
    return [valueOf(dimension, visit, hit) ?? labelForNothing(dimension)];
  }
  return listedGoals(selection)
    .filter((goal) => reaches(goal, hit))
    .map((goal) => goal.displayName);
}

/** The goals that have rows and revenue: those that pass the query's own filters on goals. */
export function listedGoals(selection: Pick<Selection, 'goals' | 'filters'>): Goal[] {
  const leaves = selection.filters.filter(isLeaf).filter((leaf) => leaf[1] === 'event:goal');
  return selection.goals.filter((goal) =>
    leaves.every(([operator, , clauses]) =>
      operator === 'is'
        ? clauses.includes(goal.displayName)
        : clauses.some((clause) => goal.displayName.includes(clause)),
    ),
  );
}

/** A row in which nothing happened. */
export function emptyCell(dimensions: readonly string[]): Cell {
  return {
    dimensions,
    visits: new Set(),
    entered: new Set(),
    exited: new Set(),
    views: new Set(),
    pings: new Set(),
    events: new Set(),
  };
}

class Cells {
  readonly #cells = new Map<string, Cell>();

  at(dimensions: readonly string[]): Cell {
    const name = JSON.stringify(dimensions);
    const cell = this.#cells.get(name) ?? emptyCell(dimensions);
    this.#cells.set(name, cell);
    return cell;
  }

  all(): Cell[] {
    return [...this.#cells.values()];
  }
}
