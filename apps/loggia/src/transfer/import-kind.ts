import type { ImportRecord, ImportSource } from './import-source.ts';

/** A record that cannot be understood; the message says why. */
export class BadRecord extends Error {
  override readonly name = 'BadRecord';
}

/** Understands the records of one file. It may remember what came before. */
export interface RecordParser<Parsed> {
  /** Whether the file's first record is a heading. */
  readonly hasHeading: boolean;
  /** @throws BadRecord */
  parse(record: ImportRecord): Parsed;
}

/** Gathers what was parsed and writes it, so that what belongs together is written together. */
export interface ImportSink<Parsed> {
  take(parsed: Parsed, number: number): void;
  /** Numbers of the records that were taken and are not written yet, ascending. */
  pending(): readonly number[];
  /** Whether enough is ready to be worth a transaction. */
  readonly isDue: boolean;
  /** No more comes of this file: all of it gets ready. */
  end(): void;
  /** Writes all that is ready, and calls `alongside`, in one transaction. */
  write(alongside: () => void): void;
  /** What became of the records that are not pending, of those written included. */
  counts(): Readonly<Record<string, number>>;
}

/** A kind of file that can be imported. */
export interface ImportKind<Parsed> {
  open(path: string): ImportSource;
  /** @throws ImportError `import_bad_file` when the first record shows that it is another kind. */
  parserFor(path: string, first: ImportRecord): RecordParser<Parsed>;
  /** When that happened, if it tells; files are imported in the order of their first times. */
  timeMs(parsed: Parsed): number | undefined;
  /** `counts` go on from those of an earlier call. */
  sink(counts: Readonly<Record<string, number>>): ImportSink<Parsed>;
}
