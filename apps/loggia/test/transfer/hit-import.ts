import type { LocalDate } from '@tandem/base';
import type { Site } from '@loggia/contract';
import { createHash } from 'node:crypto';
import { Enricher, type SaltSource } from '@loggia/ingest';
import type { Journal } from '@loggia/journal';
import { accessLogKind } from '../../src/transfer/access-log-kind.ts';
import type { HitSinkOptions, ParsedHit } from '../../src/transfer/hit-sink.ts';
import type { ImportKind } from '../../src/transfer/import-kind.ts';
import { ImportLedger } from '../../src/transfer/import-progress.ts';
import { TextSource } from '../../src/transfer/import-source.ts';
import { runImport, type ImportResult } from '../../src/transfer/run-import.ts';

/** Now, for every import of these tests. */
export const NOW_MS = Date.UTC(2026, 5, 1);

/** Salts that are the same in every run of a test. */
export const FIXED_SALTS: SaltSource = {
  ensure: (siteId, date) => saltOf(siteId, date),
  existing: (siteId, date) => saltOf(siteId, date),
};

function saltOf(siteId: number, date: LocalDate): Uint8Array {
  return createHash('sha256').update(`${siteId} ${date}`).digest();
}

/** What an import of this kind is made with, in small pieces when `writeHits` is small. */
export function hitOptions(
  journal: Journal,
  site: Site,
  writeHits = 5000,
): Omit<HitSinkOptions, 'disorderMs'> {
  const enricher = new Enricher({ salts: FIXED_SALTS });
  return { journal, site, enricher, nowMs: () => NOW_MS, writeHits };
}

/** Runs an import. `chunkBytes` makes files come in pieces of that size. */
export async function importFiles(
  kind: ImportKind<ParsedHit>,
  journal: Journal,
  paths: readonly string[],
  options: {
    readonly badLinesMax?: number;
    readonly chunkBytes?: number;
    readonly onCommit?: () => void;
  } = {},
): Promise<ImportResult> {
  const { chunkBytes, badLinesMax = 0, onCommit } = options;
  return await runImport(paths, {
    kind:
      chunkBytes === undefined
        ? kind
        : { ...kind, open: (path) => new TextSource(path, { hasQuotes: false, chunkBytes }) },
    ledger: new ImportLedger(journal, 'test 1'),
    badLinesMax,
    nowMs: () => NOW_MS,
    onProgress: () => undefined,
    ...(onCommit === undefined ? {} : { onCommit }),
  });
}

/** The kind of access logs for a site, in small transactions when `writeHits` is small. */
export function logKind(journal: Journal, site: Site, writeHits?: number): ImportKind<ParsedHit> {
  return accessLogKind({ ...hitOptions(journal, site, writeHits), hosts: [] });
}
