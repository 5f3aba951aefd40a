import { csvLine } from './csv-text.ts';
import {
  EXPORT_COLUMNS,
  type ExportCell,
  type ExportKind,
  type ExportVisit,
} from './export-columns.ts';
import { VISIT_TAIL, rowOf } from './export-layout.ts';

/** How visits become lines, one per event. */
export interface LineFormat {
  /** What comes before all others. */
  readonly heading: string;
  linesOf(visit: ExportVisit): string;
}

/** A heading with the columns' names, then a record per event. */
export const CSV_FORMAT: LineFormat = {
  heading: csvLine(EXPORT_COLUMNS.map(({ name }) => name)),
  linesOf: (visit) => linesOf(visit, ',', csvText),
};

/** One JSON object per line, with every column. */
export const NDJSON_FORMAT: LineFormat = {
  heading: '',
  linesOf: (visit) => linesOf(visit, ',', jsonText),
};

type TextOf = (cells: readonly ExportCell[], from: number) => string;

/** The visit's own cells become text once, not once per event. */
function linesOf(visit: ExportVisit, separator: string, textOf: TextOf): string {
  const tail = separator + textOf(rowOf(visit, [], VISIT_TAIL), VISIT_TAIL);
  let text = '';
  for (const event of visit.events) text += textOf(rowOf(visit, event, 0, VISIT_TAIL), 0) + tail;
  return text;
}

function csvText(cells: readonly ExportCell[], from: number): string {
  const line = csvLine(
    cells.map((cell, index) => csvCell(EXPORT_COLUMNS[from + index]?.kind, cell)),
  );
  return from + cells.length === EXPORT_COLUMNS.length ? line : line.slice(0, -1);
}

function csvCell(kind: ExportKind | undefined, cell: ExportCell): ExportCell {
  if (cell === null) return null;
  if (kind === 'time') return isoTime(cell);
  if (kind === 'flag') return cell === 1 ? 'true' : 'false';
  return cell;
}

function jsonText(cells: readonly ExportCell[], from: number): string {
  const parts = cells.map((cell, index) => {
    const column = EXPORT_COLUMNS[from + index];
    return column === undefined ? '' : `"${column.name}":${jsonCell(column.kind, cell)}`;
  });
  const text = parts.join(',');
  return from + cells.length === EXPORT_COLUMNS.length ? `${text}}\n` : `{${text}`;
}

function jsonCell(kind: ExportKind, cell: ExportCell): string {
  if (cell === null) return 'null';
  if (kind === 'json') return String(cell);
  if (kind === 'time') return `"${isoTime(cell)}"`;
  if (kind === 'flag') return cell === 1 ? 'true' : 'false';
  return JSON.stringify(cell);
}

function isoTime(cell: ExportCell): string {
  return new Date(Number(cell)).toISOString();
}
