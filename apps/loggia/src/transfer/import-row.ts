import { EVENT_COLUMNS, VISIT_COLUMNS, type Column } from '@loggia/contract';
import type { NewEvent, NewVisit } from '@loggia/journal';
import {
  EXPORT_COLUMNS,
  type ExportCell,
  type ExportColumn,
  type ExportKind,
} from './export-columns.ts';
import { BadRecord } from './import-kind.ts';

/** One row of an export: an event, its visit, and their site. */
export interface ImportRow {
  readonly domain: string;
  readonly timezone: string;
  /** The visit's number in the export. */
  readonly visitId: number;
  readonly visit: Omit<NewVisit, 'site_id'>;
  readonly event: Omit<NewEvent, 'site_id' | 'visit_id' | 'visitor'>;
}

/** A value of a row before it is checked: text of CSV, a value of JSON, or a cell of Parquet. */
export type RawCell = unknown;

const INT64_MAX = 2n ** 63n - 1n;
const REQUIRED = requiredOf();

/** A column with its place in a row. */
interface Place {
  readonly index: number;
  readonly column: ExportColumn;
}

const SITE_PLACES = placesOf('site');
const VISIT_PLACES = placesOf('visit');
const EVENT_PLACES = placesOf('event');

/** Reads rows; those of one visit follow each other, and repeat what is said of it. */
export class ImportRowParser {
  #cells: readonly RawCell[] = [];
  #visit: Readonly<Record<string, ParsedCell>> | undefined;

  /**
   * The row whose cells, in the order of the columns, are `cells`.
   *
   * @throws BadRecord that names the column
   */
  parse(cells: readonly RawCell[]): ImportRow {
    const visit = this.#visitOf(cells);
    const site = parsePlaces(SITE_PLACES, cells);
    // Every column is checked against its kind; ids belong to the database that was exported.
    return {
      domain: String(site['domain']),
      timezone: String(site['timezone']),
      visitId: Number(visit['id']),
      visit: visit as unknown as ImportRow['visit'],
      event: parsePlaces(EVENT_PLACES, cells) as unknown as ImportRow['event'],
    };
  }

  #visitOf(cells: readonly RawCell[]): Readonly<Record<string, ParsedCell>> {
    const before = this.#cells;
    const isSame = VISIT_PLACES.every(({ index }) => cells[index] === before[index]);
    if (this.#visit !== undefined && isSame) return this.#visit;
    this.#visit = parsePlaces(VISIT_PLACES, cells);
    this.#cells = cells;
    return this.#visit;
  }
}

type ParsedCell = ExportCell | bigint;

function placesOf(owner: ExportColumn['of']): readonly Place[] {
  return EXPORT_COLUMNS.flatMap((column, index) =>
    column.of === owner ? [{ index, column }] : [],
  );
}

function parsePlaces(
  places: readonly Place[],
  cells: readonly RawCell[],
): Record<string, ParsedCell> {
  const values: Record<string, ParsedCell> = {};
  for (const { index, column } of places) {
    const value = parseCell(column.name, column.kind, cells[index] ?? null);
    if (value === null && REQUIRED.has(column.name)) {
      throw new BadRecord(`${column.name} is missing`);
    }
    values[column.from] = value;
  }
  return values;
}

function parseCell(name: string, kind: ExportKind, raw: RawCell): ParsedCell {
  if (raw === null) return null;
  switch (kind) {
    case 'text':
      if (typeof raw === 'string' && !raw.includes('\0')) return raw;
      throw new BadRecord(`${name} is no text`);
    case 'integer':
      return parseInteger(name, raw);
    case 'int64':
      return parseInt64(name, raw);
    case 'time':
      return parseTime(name, raw);
    case 'flag':
      if (raw === true || raw === 'true' || raw === 1) return 1;
      if (raw === false || raw === 'false' || raw === 0) return 0;
      throw new BadRecord(`${name} is neither true nor false`);
    case 'json':
      return parseProperties(name, raw);
  }
}

function parseInteger(name: string, raw: RawCell): number {
  const number = typeof raw === 'string' && /^-?\d+$/.test(raw) ? Number(raw) : raw;
  if (typeof number === 'number' && Number.isSafeInteger(number)) return number;
  throw new BadRecord(`${name} is no whole number`);
}

function parseInt64(name: string, raw: RawCell): bigint {
  if (typeof raw === 'string' && /^-?\d{1,19}$/.test(raw)) {
    const value = BigInt(raw);
    if (value <= INT64_MAX && value >= -INT64_MAX - 1n) return value;
  }
  throw new BadRecord(`${name} is no number of 64 bits as text`);
}

function parseTime(name: string, raw: RawCell): number {
  if (typeof raw === 'number' && Number.isSafeInteger(raw)) return raw;
  const isIso = typeof raw === 'string' && /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/.test(raw);
  const timeMs = isIso ? Date.parse(raw) : Number.NaN;
  if (Number.isFinite(timeMs)) return timeMs;
  throw new BadRecord(`${name} is no time like 2026-05-01T12:00:00.000Z`);
}

function parseProperties(name: string, raw: RawCell): string {
  const value = typeof raw === 'string' ? parseJson(raw) : raw;
  const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
  const texts: readonly unknown[] = isObject ? Object.entries(value).flat() : [null];
  if (texts.every((text) => typeof text === 'string' && !text.includes('\0'))) {
    return JSON.stringify(value);
  }
  throw new BadRecord(`${name} is no JSON object of texts`);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** The names of the columns that every row has. */
function requiredOf(): ReadonlySet<string> {
  const isRequired = (columns: readonly Column[], from: string) =>
    columns.some(({ name, nullable }) => name === from && !nullable);
  const names = EXPORT_COLUMNS.filter(({ of, from }) => {
    if (of === 'site') return true;
    return isRequired(of === 'event' ? EVENT_COLUMNS : VISIT_COLUMNS, from);
  });
  return new Set(names.map(({ name }) => name));
}
