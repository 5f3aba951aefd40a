import { open, type FileHandle } from 'node:fs/promises';
import { ParquetWriter } from '@loggia/warehouse';
import type { TextSink } from '../cli/terminal.ts';
import { EXPORT_COLUMNS, type ExportCell, type ExportVisit } from './export-columns.ts';
import { rowOf } from './export-layout.ts';
import { CSV_FORMAT, NDJSON_FORMAT, type LineFormat } from './export-text.ts';

export const EXPORT_FORMATS = ['csv', 'ndjson', 'parquet'] as const;
export type ExportFormat = (typeof EXPORT_FORMATS)[number];

/** Text is passed on in pieces of about this many characters. */
const BLOCK_LENGTH = 1 << 18;

/** Where an export goes, a row per event in the order given. */
export interface ExportTarget {
  write(visits: readonly ExportVisit[]): Promise<void>;
  /** Writes what is left. */
  finish(): Promise<void>;
  close(): Promise<void>;
}

/** A target that makes the file at `path`. */
export async function fileTarget(format: ExportFormat, path: string): Promise<ExportTarget> {
  if (format === 'parquet') return await parquetTarget(path);
  const file = await open(path, 'wx', 0o640);
  return new LineTarget(lineFormatOf(format), {
    write: async (text) => await file.appendFile(text),
    close: async () => await closeFile(file),
  });
}

/** A target that writes lines to a stream as fast as that takes them. */
export function streamTarget(
  format: Exclude<ExportFormat, 'parquet'>,
  sink: TextSink,
): ExportTarget {
  return new LineTarget(lineFormatOf(format), {
    write: async (text) => {
      if (sink.write(text) !== false || sink.once === undefined) return;
      const { promise, resolve } = Promise.withResolvers<void>();
      sink.once('drain', resolve);
      await promise;
    },
    close: () => Promise.resolve(),
  });
}

function lineFormatOf(format: Exclude<ExportFormat, 'parquet'>): LineFormat {
  return format === 'csv' ? CSV_FORMAT : NDJSON_FORMAT;
}

async function closeFile(file: FileHandle): Promise<void> {
  await file.close();
}

interface LineSink {
  write(text: string): Promise<void>;
  close(): Promise<void>;
}

class LineTarget implements ExportTarget {
  readonly #format: LineFormat;
  readonly #sink: LineSink;
  #hasHeading = false;

  constructor(format: LineFormat, sink: LineSink) {
    this.#format = format;
    this.#sink = sink;
  }

  async write(visits: readonly ExportVisit[]): Promise<void> {
    let text = this.#takeHeading();
    for (const visit of visits) {
      text += this.#format.linesOf(visit);
      if (text.length < BLOCK_LENGTH) continue;
      await this.#sink.write(text);
      text = '';
    }
    if (text !== '') await this.#sink.write(text);
  }

  async finish(): Promise<void> {
    await this.write([]);
  }

  async close(): Promise<void> {
    await this.#sink.close();
  }

  #takeHeading(): string {
    if (this.#hasHeading) return '';
    this.#hasHeading = true;
    return this.#format.heading;
  }
}

async function parquetTarget(path: string): Promise<ExportTarget> {
  const columns = EXPORT_COLUMNS.map(({ name, kind }) => ({
    name,
    kind: kind === 'json' ? ('text' as const) : kind,
  }));
  const writer = await ParquetWriter.open(path, columns);
  return {
    write: async (visits) => await writer.write(visits.flatMap(rowsOf)),
    finish: async () => await writer.finish(),
    close: async () => {
      writer.close();
      await Promise.resolve();
    },
  };
}

function rowsOf(visit: ExportVisit): ExportCell[][] {
  return visit.events.map((event) => rowOf(visit, event));
}
