import { ParquetReader } from '@loggia/warehouse';
import { ContentDigest } from './content-digest.ts';
import { EXPORT_COLUMNS, type ExportCell } from './export-columns.ts';
import { ImportError } from './import-error.ts';
import { InputFile } from './input-file.ts';
import { RecordSplitter } from './record-splitter.ts';

/** A record of a file: its text, or its cells where the file has no text. */
export type ImportRecord = string | readonly ExportCell[];

/** Some records that follow each other, and the content up to the end of the last one. */
export interface RecordBlock {
  readonly records: readonly ImportRecord[];
  /** Whether this is what comes after the last line feed, and may be cut off. */
  readonly isUnfinished: boolean;
  /** Of all content up to here. */
  readonly digest: ContentDigest;
}

/** A file as records; it can be read any number of times. */
export interface ImportSource {
  readonly path: string;
  /** How far the reading under way has come, 0 to 1. */
  readonly share: number;
  /** `marks` are lengths of which the content's digest is to be known when they are reached. */
  blocks(marks?: readonly number[]): AsyncGenerator<RecordBlock>;
}

/** A file of lines, compressed or not; with `hasQuotes` of records of CSV. */
export class TextSource implements ImportSource {
  readonly path: string;
  readonly #file: InputFile;
  readonly #hasQuotes: boolean;

  constructor(
    path: string,
    options: { readonly hasQuotes: boolean; readonly chunkBytes?: number },
  ) {
    this.path = path;
    this.#file = new InputFile(path, options.chunkBytes);
    this.#hasQuotes = options.hasQuotes;
  }

  get share(): number {
    return this.#file.shareRead;
  }

  async *blocks(marks: readonly number[] = []): AsyncGenerator<RecordBlock> {
    const splitter = new RecordSplitter({ hasQuotes: this.#hasQuotes });
    const digest = new ContentDigest(marks);
    for await (const chunk of this.#file.chunks()) {
      const { records, bytes } = splitter.push(chunk);
      digest.update(bytes);
      yield { records, isUnfinished: false, digest };
    }
    const { records, bytes } = splitter.end();
    if (records.length === 0) return;
    digest.update(bytes);
    yield { records, isUnfinished: true, digest };
  }
}

/** A Parquet file with the columns of an export. Its content is known by all of it, or not at all. */
export class ParquetSource implements ImportSource {
  readonly path: string;
  readonly #file: InputFile;
  #share = 0;

  constructor(path: string) {
    this.path = path;
    this.#file = new InputFile(path);
  }

  get share(): number {
    return this.#share;
  }

  async *blocks(marks: readonly number[] = []): AsyncGenerator<RecordBlock> {
    const digest = new ContentDigest(marks);
    for await (const chunk of this.#file.chunks()) digest.update(chunk);
    const reader = await ParquetReader.open(this.path);
    try {
      const total = await this.#inspect(reader);
      let count = 0;
      for await (const records of reader.rows(PARQUET_COLUMNS, 0)) {
        count += records.length;
        this.#share = count / total;
        yield { records, isUnfinished: false, digest };
      }
    } finally {
      reader.close();
    }
  }

  async #inspect(reader: ParquetReader): Promise<number> {
    const names = await reader.columnNames().catch((cause: unknown) => {
      throw new ImportError('import_bad_file', `${this.path} is no Parquet file`, { cause });
    });
    refuseMissingColumns(this.path, names);
    return await reader.rowCount();
  }
}

const PARQUET_COLUMNS = EXPORT_COLUMNS.map(({ name, kind }) => ({
  name,
  kind: kind === 'json' ? ('text' as const) : kind,
}));

/** @throws ImportError `import_bad_file` that names the columns of an export which are not there. */
export function refuseMissingColumns(path: string, names: readonly string[]): void {
  const missing = EXPORT_COLUMNS.filter(({ name }) => !names.includes(name));
  if (missing.length === 0) return;
  const list = missing.map(({ name }) => name).join(', ');
  throw new ImportError('import_bad_file', `${path} is no export of Loggia: it lacks ${list}`);
}
