/** A column's heading; numbers stand at the right. */
export interface TableColumn {
  readonly heading: string;
  readonly isNumber?: boolean;
}

/** Rows under headings, in columns parted by two spaces; every line ends with a line feed. */
export function tableText(
  columns: readonly TableColumn[],
  rows: readonly (readonly string[])[],
): string {
  const lines = [columns.map((column) => column.heading), ...rows];
  const widths = columns.map((_, index) =>
    Math.max(...lines.map((line) => displayWidth(line[index] ?? ''))),
  );
  return lines.map((line) => lineText(columns, widths, line)).join('');
}

/** Names and values below each other, the values in one column. */
export function pairsText(pairs: readonly (readonly [string, string])[]): string {
  const width = Math.max(0, ...pairs.map(([name]) => displayWidth(name)));
  return pairs.map(([name, value]) => `${pad(name, width)}  ${value}`.trimEnd() + '\n').join('');
}

function lineText(
  columns: readonly TableColumn[],
  widths: readonly number[],
  line: readonly string[],
): string {
  const cells = columns.map((column, index) => {
    const cell = printable(line[index] ?? '');
    const width = widths[index] ?? 0;
    return column.isNumber === true
      ? ' '.repeat(width - displayWidth(cell)) + cell
      : pad(cell, width);
  });
  return `${cells.join('  ').trimEnd()}\n`;
}

function pad(text: string, width: number): string {
  return text + ' '.repeat(Math.max(0, width - displayWidth(text)));
}

/** Text from outside must not steer the terminal. */
function printable(text: string): string {
  return text.replace(/\p{Cc}/gu, '\uFFFD');
}

function displayWidth(text: string): number {
  return Array.from(text).length;
}
