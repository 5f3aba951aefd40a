import {
  EVENT_DIMENSIONS,
  FILTER_OPERATORS,
  PROPERTY_PREFIX,
  VISIT_DIMENSIONS,
  type FilterDimension,
  type FilterOperator,
} from '@loggia/contract';

import { badQuery, describe, unknownName } from './bad-query.ts';
import type { Filter, FilterLeaf } from './query.ts';

/** How deep filters may be nested, and how much they may hold in all. */
const DEPTH_MAX = 12;
const FILTERS_MAX = 200;
const CLAUSES_MAX = 2000;

const COMBINATORS = ['and', 'or', 'not', 'has_done', 'has_not_done'] as const;
const FILTER_DIMENSIONS: readonly string[] = [...VISIT_DIMENSIONS, ...EVENT_DIMENSIONS];

interface Budget {
  filters: number;
  clauses: number;
}

/**
 * Checks the list of filters of a query.
 *
 * @throws HttpError `bad_query` that names the filter and what is wrong with it.
 */
export function parseFilters(input: unknown): readonly Filter[] {
  if (!Array.isArray(input)) throw badQuery("'filters' must be a list of filters.");
  const budget = { filters: FILTERS_MAX, clauses: CLAUSES_MAX };
  return input.map((filter: unknown) => parseFilter(filter, { depth: 1, inDeed: false }, budget));
}

interface Place {
  readonly depth: number;
  readonly inDeed: boolean;
}

function parseFilter(input: unknown, place: Place, budget: Budget): Filter {
  if (place.depth > DEPTH_MAX) throw badQuery(`Filters may be nested ${DEPTH_MAX} deep at most.`);
  if (budget.filters-- === 0) throw badQuery(`A query may have ${FILTERS_MAX} filters at most.`);
  if (!Array.isArray(input)) throw badFilter(input, 'it is not a list');
  const [operator, operand] = input as readonly unknown[];
  const inner = { ...place, depth: place.depth + 1 };
  switch (operator) {
    case 'and':
    case 'or':
      if (input.length !== 2 || !Array.isArray(operand) || operand.length === 0) {
        throw badFilter(input, `'${operator}' takes one list of filters`);
      }
      return {
        kind: operator,
        filters: operand.map((filter: unknown) => parseFilter(filter, inner, budget)),
      };
    case 'not':
      if (input.length !== 2) throw badFilter(input, "'not' takes one filter");
      return { kind: 'not', filter: parseFilter(operand, inner, budget) };
    case 'has_done':
    case 'has_not_done':
      if (input.length !== 2) throw badFilter(input, `'${operator}' takes one filter`);
      if (place.inDeed) throw badFilter(input, 'has_done and has_not_done cannot be nested');
      return { kind: operator, filter: parseFilter(operand, { ...inner, inDeed: true }, budget) };
    default:
      return parseLeaf(input, place, budget);
  }
}

function parseLeaf(input: readonly unknown[], place: Place, budget: Budget): FilterLeaf {
  const [operator, dimension, clauses, modifiers] = input;
  if (!isOperator(operator)) {
    throw unknownName('filter operator', operator, [...FILTER_OPERATORS, ...COMBINATORS]);
  }
  if (dimension === 'segment') {
    throw badQuery("Filters by segment are not supported; send the segment's own filters instead.");
  }
  if (input.length < 3 || input.length > 4) {
    throw badFilter(input, 'it must be [operator, dimension, clauses]');
  }
  const checked = parseFilterDimension(dimension);
  if (checked === 'event:goal' && operator !== 'is' && operator !== 'contains') {
    throw badFilter(input, "event:goal takes the operators 'is' and 'contains' only");
  }
  if (place.inDeed && !checked.startsWith('event:')) {
    throw badFilter(input, 'has_done and has_not_done take event dimensions only');
  }
  return {
    kind: 'leaf',
    operator,
    dimension: checked,
    clauses: parseClauses(clauses, input, budget),
    caseSensitive: parseModifiers(modifiers, input),
  };
}

function isOperator(value: unknown): value is FilterOperator {
  return FILTER_OPERATORS.some((operator) => operator === value);
}

/** @throws HttpError `bad_query` unless `value` names a dimension that filters can look at. */
export function parseFilterDimension(value: unknown): FilterDimension {
  if (isFilterDimension(value)) return value;
  if (typeof value === 'string' && value.startsWith('time')) {
    throw badQuery("Filters cannot look at time; set 'date_range' instead.");
  }
  throw unknownName('dimension', value, [...FILTER_DIMENSIONS, PROPERTY_PREFIX]);
}

/** Whether `value` names a dimension that filters can look at. */
export function isFilterDimension(value: unknown): value is FilterDimension {
  if (typeof value !== 'string') return false;
  if (value.startsWith(PROPERTY_PREFIX)) return value.length > PROPERTY_PREFIX.length;
  return FILTER_DIMENSIONS.includes(value);
}

function parseClauses(input: unknown, filter: unknown, budget: Budget): readonly string[] {
  if (!Array.isArray(input) || input.length === 0) {
    throw badFilter(filter, 'its clauses must be a list with at least one value');
  }
  budget.clauses -= input.length;
  if (budget.clauses < 0) throw badQuery(`A query may have ${CLAUSES_MAX} clauses at most.`);
  return input.map((clause: unknown) => {
    if (typeof clause === 'string') return clause;
    if (Number.isSafeInteger(clause)) return String(clause);
    throw badFilter(filter, 'a clause must be a string or a whole number');
  });
}

function parseModifiers(input: unknown, filter: readonly unknown[]): boolean {
  if (input === undefined) return true;
  if (typeof input !== 'object' || input === null || Array.isArray(input)) {
    throw badFilter(filter, 'its modifiers must be an object');
  }
  for (const key of Object.keys(input)) {
    if (key !== 'case_sensitive') throw unknownName('modifier', key, ['case_sensitive']);
  }
  const caseSensitive = 'case_sensitive' in input ? input.case_sensitive : true;
  if (typeof caseSensitive !== 'boolean') {
    throw badFilter(filter, "'case_sensitive' must be true or false");
  }
  const operator = String(filter[0]);
  if (!caseSensitive && operator.startsWith('matches')) {
    throw badFilter(filter, `'case_sensitive' cannot be set for '${operator}'; patterns take (?i)`);
  }
  return caseSensitive;
}

function badFilter(filter: unknown, problem: string) {
  return badQuery(`The filter ${describe(filter)} is wrong: ${problem}.`);
}
