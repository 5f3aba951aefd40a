import type { ContentDigest } from './content-digest.ts';
import { BadRecord, type ImportKind, type RecordParser } from './import-kind.ts';
import type { ImportRecord, ImportSource } from './import-source.ts';

/** What a walk through a file meets. */
export interface RecordVisitor<Parsed> {
  /** Whether the record of that number is to be parsed at all. */
  wants(number: number): boolean;
  take(parsed: Parsed, number: number): void;
  /** A record that cannot be understood, with the number of its first line. */
  bad(line: number, reason: string): void;
  /** All records with a number below `count` have been met. */
  passed(count: number, digest: ContentDigest): void;
}

/** How a walk ended. */
export interface WalkEnd {
  readonly records: number;
  /** The last line had no end and could not be understood: it may still be being written. */
  readonly isCutOff: boolean;
}

/**
 * Goes through all records of a file in their order. Numbers begin with 0, empty lines and a
 * heading have one too.
 */
export async function walkRecords<Parsed>(
  kind: ImportKind<Parsed>,
  source: ImportSource,
  visitor: RecordVisitor<Parsed>,
  marks: readonly number[] = [],
): Promise<WalkEnd> {
  let parser: RecordParser<Parsed> | undefined;
  let number = 0;
  let line = 1;
  for await (const { records, isUnfinished, digest } of source.blocks(marks)) {
    for (const record of records) {
      parser ??= kind.parserFor(source.path, record);
      const isHeading = number === 0 && parser.hasHeading;
      if (!isHeading && record !== '' && visitor.wants(number)) {
        const outcome = parseOne(parser, record);
        if ('parsed' in outcome) visitor.take(outcome.parsed, number);
        else if (isUnfinished) return { records: number, isCutOff: true };
        else visitor.bad(line, outcome.reason);
      }
      number += 1;
      line += linesOf(record);
    }
    visitor.passed(number, digest);
  }
  return { records: number, isCutOff: false };
}

function parseOne<Parsed>(
  parser: RecordParser<Parsed>,
  record: ImportRecord,
): { readonly parsed: Parsed } | { readonly reason: string } {
  try {
    return { parsed: parser.parse(record) };
  } catch (error) {
    if (error instanceof BadRecord) return { reason: error.message };
    throw error;
  }
}

function linesOf(record: ImportRecord): number {
  if (typeof record !== 'string' || !record.includes('\n')) return 1;
  return record.split('\n').length;
}
