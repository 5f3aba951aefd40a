/** A column's cells are pushed to this side. */
export type Side = 'left' | 'right';

/** Rows under one another, columns two blanks apart, without blanks at the end of lines. */
export function textTable(rows: readonly (readonly string[])[], sides: readonly Side[]): string {
  const widths = sides.map((_, column) =>
    Math.max(0, ...rows.map((row) => (row[column] ?? '').length)),
  );
  return rows
    .map((row) => {
      const cells = widths.map((width, column) => {
        const cell = row[column] ?? '';
        return sides[column] === 'right' ? cell.padStart(width) : cell.padEnd(width);
      });
      return `${cells.join('  ').trimEnd()}\n`;
    })
    .join('');
}
