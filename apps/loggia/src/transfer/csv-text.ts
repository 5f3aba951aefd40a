/**
 * CSV as RFC 4180 has it, with commas and line feeds. One thing is added: an empty cell is nothing,
 * and `""` is a text without characters.
 */
export function csvLine(cells: readonly (string | number | null)[]): string {
  let line = '';
  for (const [index, cell] of cells.entries()) {
    if (index > 0) line += ',';
    if (cell === null) continue;
    line += typeof cell === 'number' ? String(cell) : csvText(cell);
  }
  return `${line}\n`;
}

function csvText(text: string): string {
  if (text !== '' && !/[",\r\n]/.test(text)) return text;
  return `"${text.replaceAll('"', '""')}"`;
}

/** The cells of one record, without its line end; null for an empty one that has no quotes. */
export type CsvCells = readonly (string | null)[];

/** The cells of a record, or undefined when its quotes are not in pairs. */
export function parseCsvLine(record: string): CsvCells | undefined {
  if (!record.includes('"')) return record.split(',').map((cell) => (cell === '' ? null : cell));
  const cells: (string | null)[] = [];
  let position = 0;
  for (;;) {
    const cell = readCell(record, position);
    if (cell === undefined) return undefined;
    cells.push(cell.text);
    if (cell.end === record.length) return cells;
    position = cell.end + 1;
  }
}

/** The cell that begins at `start`; it ends at a comma or at the record's end. */
function readCell(
  record: string,
  start: number,
): { readonly text: string | null; readonly end: number } | undefined {
  if (record[start] !== '"') {
    const comma = record.indexOf(',', start);
    const end = comma === -1 ? record.length : comma;
    const text = record.slice(start, end);
    if (text.includes('"')) return undefined;
    return { text: text === '' ? null : text, end };
  }
  let text = '';
  for (let position = start + 1; ;) {
    const quote = record.indexOf('"', position);
    if (quote === -1) return undefined;
    text += record.slice(position, quote);
    if (record[quote + 1] === '"') {
      text += '"';
      position = quote + 2;
      continue;
    }
    const end = quote + 1;
    return end === record.length || record[end] === ',' ? { text, end } : undefined;
  }
}
