import type { Site } from '@loggia/contract';
import type { Journal } from '@loggia/journal';
import { parseCsvLine } from './csv-text.ts';
import { EXPORT_COLUMNS } from './export-columns.ts';
import { ImportError } from './import-error.ts';
import { BadRecord, type ImportKind, type ImportSink, type RecordParser } from './import-kind.ts';
import { ImportRowParser, type ImportRow, type RawCell } from './import-row.ts';
import {
  ParquetSource,
  TextSource,
  refuseMissingColumns,
  type ImportRecord,
} from './import-source.ts';

/** Where rows of an export go. */
export interface RowTargets {
  /** The site of that domain; made when it is missing, if that was asked for. */
  ensureSite(row: Pick<ImportRow, 'domain' | 'timezone'>): Site;
  /** @throws ImportError `import_no_site` when rows of that domain have nowhere to go. */
  refuseUnknown(row: Pick<ImportRow, 'domain' | 'timezone'>): void;
}

/** Rows of one transaction. */
const WRITE_ROWS = 5000;
const PARQUET_ENDING = /\.parquet$/i;

/** Our own export, in any of its formats. Rows come back as they were, under numbers of their own. */
export function loggiaKind(
  journal: Journal,
  targets: RowTargets,
  writeRows = WRITE_ROWS,
): ImportKind<ImportRow> {
  return {
    open: (path) =>
      PARQUET_ENDING.test(path)
        ? new ParquetSource(path)
        : new TextSource(path, { hasQuotes: true }),
    parserFor: (path, first) => new ExportParser(path, first, targets),
    timeMs: ({ visit }) => visit.start_ms,
    sink: (counts) => new RowSink({ journal, targets, writeRows }, counts),
  };
}

class ExportParser implements RecordParser<ImportRow> {
  readonly hasHeading: boolean;
  readonly #cellsOf: (record: ImportRecord) => readonly RawCell[];
  readonly #targets: RowTargets;
  readonly #rows = new ImportRowParser();
  #last: ImportRow | undefined;

  constructor(path: string, first: ImportRecord, targets: RowTargets) {
    this.#targets = targets;
    if (typeof first !== 'string') {
      this.hasHeading = false;
      this.#cellsOf = (record) => (typeof record === 'string' ? [] : record);
    } else if (first.startsWith('{')) {
      this.hasHeading = false;
      this.#cellsOf = (record) => jsonCells(String(record));
    } else {
      this.hasHeading = true;
      this.#cellsOf = csvReader(path, first);
    }
  }

  parse(record: ImportRecord): ImportRow {
    const row = this.#rows.parse(this.#cellsOf(record));
    if (row.domain !== this.#last?.domain) this.#targets.refuseUnknown(row);
    else if (isBefore(row, this.#last)) {
      throw new BadRecord('the rows are not in the order of an export: visit_start, visit_id');
    }
    this.#last = row;
    return row;
  }
}

function isBefore(row: ImportRow, last: ImportRow): boolean {
  const { start_ms: start } = row.visit;
  const { start_ms: lastStart } = last.visit;
  return start < lastStart || (start === lastStart && row.visitId < last.visitId);
}

function jsonCells(record: string): readonly RawCell[] {
  let value: unknown;
  try {
    value = JSON.parse(record);
  } catch {
    throw new BadRecord('the line is no JSON');
  }
  if (typeof value !== 'object' || value === null)
    throw new BadRecord('the line is no JSON object');
  const fields = value as Readonly<Record<string, unknown>>;
  return EXPORT_COLUMNS.map(({ name }) => fields[name] ?? null);
}

function csvReader(path: string, heading: string): (record: ImportRecord) => readonly RawCell[] {
  const names = (parseCsvLine(heading) ?? []).map((name) => name ?? '');
  refuseMissingColumns(path, names);
  const places = EXPORT_COLUMNS.map(({ name }) => names.indexOf(name));
  return (record) => {
    const cells = parseCsvLine(String(record));
    if (cells === undefined) throw new BadRecord('the quotation marks are not in pairs');
    if (cells.length !== names.length) {
      throw new BadRecord(`there are ${cells.length} cells under ${names.length} headings`);
    }
    return places.map((place) => cells[place] ?? null);
  };
}

interface VisitGroup {
  readonly first: ImportRow;
  readonly rows: ImportRow[];
  readonly numbers: number[];
}

/** Gathers the rows of a visit, which follow each other, and writes visits whole. */
class RowSink implements ImportSink<ImportRow> {
  readonly #journal: Journal;
  readonly #targets: RowTargets;
  readonly #writeRows: number;
  #open: VisitGroup | undefined;
  #ready: VisitGroup[] = [];
  #readyRows = 0;
  #visits: number;
  #rows: number;

  constructor(
    options: {
      readonly journal: Journal;
      readonly targets: RowTargets;
      readonly writeRows: number;
    },
    counts: Readonly<Record<string, number>>,
  ) {
    this.#journal = options.journal;
    this.#targets = options.targets;
    this.#writeRows = options.writeRows;
    this.#visits = counts['visits'] ?? 0;
    this.#rows = counts['rows'] ?? 0;
  }

  get isDue(): boolean {
    return this.#readyRows >= this.#writeRows;
  }

  take(row: ImportRow, number: number): void {
    const open = this.#open;
    if (open?.first.visitId === row.visitId && open.first.domain === row.domain) {
      open.rows.push(row);
      open.numbers.push(number);
      return;
    }
    this.end();
    this.#open = { first: row, rows: [row], numbers: [number] };
  }

  pending(): readonly number[] {
    const groups = this.#open === undefined ? this.#ready : [...this.#ready, this.#open];
    return groups.flatMap(({ numbers }) => numbers);
  }

  end(): void {
    if (this.#open === undefined) return;
    this.#ready.push(this.#open);
    this.#readyRows += this.#open.rows.length;
    this.#open = undefined;
  }

  write(alongside: () => void): void {
    const groups = this.#ready;
    const sites = groups.map(({ first }) => this.#targets.ensureSite(first));
    this.#ready = [];
    this.#visits += groups.length;
    this.#rows += this.#readyRows;
    this.#readyRows = 0;
    this.#journal.transaction(() => {
      for (const [index, group] of groups.entries()) this.#insert(group, sites[index]?.id ?? 0);
      alongside();
    });
  }

  counts(): Readonly<Record<string, number>> {
    return { rows: this.#rows, visits: this.#visits };
  }

  #insert({ first, rows }: VisitGroup, siteId: number): void {
    const { tail } = this.#journal;
    const visitId = tail.insertVisit({ ...first.visit, site_id: siteId });
    const { visitor } = first.visit;
    tail.insertEvents(
      rows.map(({ event }) => ({ ...event, site_id: siteId, visit_id: visitId, visitor })),
    );
  }
}

/** The targets of a command: sites of the journal, or one for all rows. */
export function rowTargets(
  journal: Journal,
  options: {
    /** All rows go there. */
    readonly into: Site | undefined;
    readonly isAdding: boolean;
    readonly nowMs: number;
    /** Told when a site's days are not those that the export was made with. */
    readonly onOtherZone: (site: Site, timezone: string) => void;
  },
): RowTargets {
  const { into, isAdding, nowMs, onOtherZone } = options;
  const sites = new Map<string, Site>();
  const find = (domain: string) => into ?? sites.get(domain) ?? journal.sites.byDomain(domain);
  return {
    ensureSite({ domain, timezone }) {
      const site = find(domain) ?? journal.sites.create({ domain, timezone, nowMs });
      if (!sites.has(domain) && site.timezone !== timezone) onOtherZone(site, timezone);
      sites.set(domain, site);
      return site;
    },
    refuseUnknown({ domain, timezone }) {
      if (isAdding || find(domain) !== undefined) return;
      throw new ImportError('import_no_site', `There is no site ${domain} here`, {
        hint:
          `'loggia site add ${domain} --timezone ${timezone}' makes it; --add-sites makes all ` +
          'that are missing; --site imports into another one.',
      });
    },
  };
}
