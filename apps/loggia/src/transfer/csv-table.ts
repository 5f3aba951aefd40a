import { parseCsvLine, type CsvCells } from './csv-text.ts';
import { ImportError } from './import-error.ts';
import { BadRecord } from './import-kind.ts';
import type { ImportRecord } from './import-source.ts';

/** The records of a CSV file by the names in its heading. */
export class CsvTable {
  readonly #names: readonly string[];

  /** @throws ImportError `import_bad_file` that names the columns which are not there. */
  constructor(
    heading: ImportRecord,
    options: {
      readonly path: string;
      readonly program: string;
      readonly required: readonly string[];
    },
  ) {
    const { path, program, required } = options;
    this.#names = (parseCsvLine(String(heading)) ?? []).map((name) => name ?? '');
    const missing = required.filter((name) => !this.#names.includes(name));
    if (missing.length === 0) return;
    const message = `${path} is no export of ${program}: it lacks ${missing.join(', ')}`;
    throw new ImportError('import_bad_file', message);
  }

  /** @throws BadRecord */
  read(record: ImportRecord): CsvRow {
    const cells = parseCsvLine(String(record));
    if (cells === undefined) throw new BadRecord('the quotation marks are not in pairs');
    if (cells.length !== this.#names.length) {
      throw new BadRecord(`there are ${cells.length} cells under ${this.#names.length} headings`);
    }
    return new CsvRow(this.#names, cells);
  }
}

/** One record. */
export class CsvRow {
  readonly #names: readonly string[];
  readonly #cells: CsvCells;

  constructor(names: readonly string[], cells: CsvCells) {
    this.#names = names;
    this.#cells = cells;
  }

  /** The cell under that name; null when it is empty, blank or `\N`, or there is no such name. */
  get(name: string): string | null {
    const text = this.#cells[this.#names.indexOf(name)]?.trim() ?? '';
    return text === '' || text === '\\N' ? null : text;
  }

  /** As `get`. @throws BadRecord when there is nothing. */
  need(name: string): string {
    const text = this.get(name);
    if (text === null) throw new BadRecord(`${name} is missing`);
    return text;
  }
}
