import { EXPORT_COLUMNS, type ExportCell, type ExportVisit } from './export-columns.ts';

/** For each column, where its cell is. */
const PLACES = placesOf();
/** From this column on, all cells are of the visit: the same for each of its events. */
export const VISIT_TAIL = EXPORT_COLUMNS.findLastIndex((column) => column.of !== 'visit') + 1;

/** The cells of an event's row from column `from` up to, without it, column `until`. */
export function rowOf(
  visit: ExportVisit,
  event: readonly ExportCell[],
  from = 0,
  until = EXPORT_COLUMNS.length,
): ExportCell[] {
  const row: ExportCell[] = [];
  for (let index = from; index < until; index += 1) {
    const place = PLACES[index];
    if (place === undefined) break;
    const cells = place.of === 'event' ? event : visit[place.of];
    row.push(cells[place.index] ?? null);
  }
  return row;
}

function placesOf(): readonly {
  readonly of: 'site' | 'visit' | 'event';
  readonly index: number;
}[] {
  const counts = { site: 0, visit: 0, event: 0 };
  return EXPORT_COLUMNS.map(({ of }) => {
    const index = counts[of];
    counts[of] += 1;
    return { of, index };
  });
}
