import {
  PROPERTY_PREFIX,
  VISIT_DIMENSIONS,
  type FilterDimension,
  type PropertyDimension,
  type VisitColumn,
  type VisitDimension,
} from '@loggia/contract';
import { COUNTRY_NAMES } from './country-names.ts';
import { identifier, sql, type Sql } from './sql.ts';
import { unreachable } from './unreachable.ts';

/** What stands in for a value that is not known. */
export const NO_SOURCE = 'Direct / None';
export const NOT_SET = '(not set)';
export const NO_PROPERTY = '(none)';

interface VisitEntry {
  readonly column: VisitColumn;
  readonly empty: string;
}

/** Where each dimension of a visit is kept, and its label for nothing. */
const VISIT_ENTRIES: Readonly<Record<VisitDimension, VisitEntry>> = {
  'visit:entry_page': { column: 'entry_page', empty: NOT_SET },
  'visit:exit_page': { column: 'exit_page', empty: NOT_SET },
  'visit:entry_page_hostname': { column: 'entry_hostname', empty: NOT_SET },
  'visit:exit_page_hostname': { column: 'exit_hostname', empty: NOT_SET },
  'visit:source': { column: 'source', empty: NO_SOURCE },
  'visit:referrer': { column: 'referrer', empty: NO_SOURCE },
  'visit:channel': { column: 'channel', empty: NOT_SET },
  'visit:utm_medium': { column: 'utm_medium', empty: NOT_SET },
  'visit:utm_source': { column: 'utm_source', empty: NOT_SET },
  'visit:utm_campaign': { column: 'utm_campaign', empty: NOT_SET },
  'visit:utm_content': { column: 'utm_content', empty: NOT_SET },
  'visit:utm_term': { column: 'utm_term', empty: NOT_SET },
  'visit:device': { column: 'device', empty: NOT_SET },
  'visit:browser': { column: 'browser', empty: NOT_SET },
  'visit:browser_version': { column: 'browser_version', empty: NOT_SET },
  'visit:os': { column: 'os', empty: NOT_SET },
  'visit:os_version': { column: 'os_version', empty: NOT_SET },
  'visit:country': { column: 'country', empty: NOT_SET },
  'visit:region': { column: 'region', empty: NOT_SET },
  'visit:city': { column: 'city', empty: NOT_SET },
  'visit:country_name': { column: 'country', empty: NOT_SET },
  'visit:region_name': { column: 'region_name', empty: NOT_SET },
  'visit:city_name': { column: 'city_name', empty: NOT_SET },
  'visit:screen': { column: 'screen', empty: NOT_SET },
  'visit:language': { column: 'language', empty: NOT_SET },
};

/** The column of `visit` that holds the dimension. */
export function visitColumn(name: VisitDimension): VisitColumn {
  return VISIT_ENTRIES[name].column;
}

/** What stands for nothing in the dimension. */
export function emptyLabel(name: VisitDimension): string {
  return VISIT_ENTRIES[name].empty;
}

/** Whether `name` is a dimension of the visit, not of an event or of time. */
export function isVisitDimension(name: string): name is VisitDimension {
  return VISIT_DIMENSIONS.some((dimension) => dimension === name);
}

/** Whether `name` is a custom property. */
export function isPropertyDimension(name: string): name is PropertyDimension {
  return name.startsWith(PROPERTY_PREFIX);
}

/**
 * The value to group by, never null, from the visit `v` or the event `e`. For `visit:country_name`
 * it is the code; `labelSql` turns it into the name once the rows are few.
 */
export function groupSql(name: Exclude<FilterDimension, 'event:goal'>): Sql {
  if (isVisitDimension(name)) {
    const { column, empty } = VISIT_ENTRIES[name];
    return sql`coalesce(${identifier(`v.${column}`)}, ${empty})`;
  }
  if (isPropertyDimension(name)) {
    const property = name.slice(PROPERTY_PREFIX.length);
    return sql`coalesce(e.properties[${property}], ${NO_PROPERTY})`;
  }
  switch (name) {
    case 'event:page':
      return sql`e.page`;
    case 'event:hostname':
      return sql`e.hostname`;
    case 'event:name':
      return sql`e.name`;
    default:
      throw unreachable(name);
  }
}

/** The value as people read it, from what `groupSql` gave. */
export function labelSql(name: string, value: Sql): Sql {
  return name === 'visit:country_name' ? countryNameSql(value) : value;
}

// Two packed parameters: a CASE of 280 branches takes the engine longer to plan than to run.
const CODES_PACKED = [...COUNTRY_NAMES.keys()].join(';');
const NAMES_PACKED = [...COUNTRY_NAMES.values()].join(';');

function countryNameSql(code: Sql): Sql {
  const position = sql`list_position(string_split(${CODES_PACKED}, ';'), ${code})`;
  return sql`coalesce(list_extract(string_split(${NAMES_PACKED}, ';'), ${position}), ${code})`;
}
