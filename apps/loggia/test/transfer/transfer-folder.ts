import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Hit, QueryAnswer, Site } from '@loggia/contract';
import { TailWriter } from '@loggia/ingest';
import { Journal } from '@loggia/journal';
import { answerQuery, parseQuery } from '@loggia/reports';
import { EmbeddedStore } from '@loggia/warehouse';
import { exportPages } from '../../src/transfer/export-rows.ts';
import { fileTarget, type ExportFormat } from '../../src/transfer/export-target.ts';
import { ImportLedger } from '../../src/transfer/import-progress.ts';
import { TextSource } from '../../src/transfer/import-source.ts';
import { loggiaKind, rowTargets } from '../../src/transfer/loggia-kind.ts';
import { runImport, type ImportResult } from '../../src/transfer/run-import.ts';
import type { QueryBody } from '../model/query.ts';

const LIMITS = { memoryBytes: 256 * 1024 * 1024, threads: 2 };
const WHOLE_TIME = { fromMs: 0, untilMs: Date.UTC(2100, 0) };

/** A place for files and data folders that is gone when its block ends. */
export class TransferFolder {
  readonly path = mkdtempSync(join(tmpdir(), 'loggia-transfer-'));
  #count = 0;

  /** A name that no other call gets. */
  fresh(name: string): string {
    this.#count += 1;
    return join(this.path, `${this.#count}-${name}`);
  }

  openJournal(): Journal {
    const folder = this.fresh('data');
    mkdirSync(folder);
    return Journal.open({ folder });
  }

  [Symbol.dispose](): void {
    rmSync(this.path, { recursive: true, force: true });
  }
}

/** Each list of hits as one transaction. */
export function writeHits(journal: Journal, transactions: readonly (readonly Hit[])[]): void {
  const writer = new TailWriter(journal);
  for (const hits of transactions) writer.write(hits, hits.at(-1)?.timeMs ?? 0);
}

export async function withStore<Result>(
  journal: Journal,
  run: (store: EmbeddedStore) => Promise<Result>,
): Promise<Result> {
  const store = await EmbeddedStore.open({ tail: journal.tail, limits: LIMITS });
  try {
    return await run(store);
  } finally {
    await store.close();
  }
}

/** Exports all sites of a journal and returns the number of rows. */
export async function exportAll(
  journal: Journal,
  format: ExportFormat,
  path: string,
): Promise<number> {
  const target = await fileTarget(format, path);
  let rows = 0;
  try {
    await withStore(journal, async (store) => {
      const parts = journal.sites.list().map((site) => ({ site, span: WHOLE_TIME }));
      for await (const { visits } of exportPages(store, parts)) {
        await target.write(visits);
        for (const { events } of visits) rows += events.length;
      }
    });
    await target.finish();
  } finally {
    await target.close();
  }
  return rows;
}

/** Imports exports into a journal, which gets the sites that it lacks. */
export async function importExports(
  journal: Journal,
  paths: readonly string[],
  options: {
    readonly onCommit?: () => void;
    readonly writeRows?: number;
    readonly chunkBytes?: number;
  } = {},
): Promise<ImportResult> {
  const { onCommit, writeRows, chunkBytes } = options;
  const targets = rowTargets(journal, {
    into: undefined,
    isAdding: true,
    nowMs: 0,
    onOtherZone: () => undefined,
  });
  const kind = loggiaKind(journal, targets, writeRows);
  const inPieces = (path: string) =>
    chunkBytes === undefined || path.endsWith('.parquet')
      ? kind.open(path)
      : new TextSource(path, { hasQuotes: true, chunkBytes });
  return await runImport(paths, {
    kind: { ...kind, open: inPieces },
    ledger: new ImportLedger(journal, 'loggia all'),
    badLinesMax: 0,
    nowMs: () => 0,
    onProgress: () => undefined,
    ...(onCommit === undefined ? {} : { onCommit }),
  });
}

/** All visits with their events as text, without the numbers that are a database's own. */
export function contentOf(journal: Journal): readonly string[] {
  const domains = new Map(journal.sites.list().map(({ id, domain }) => [id, domain]));
  const events = new Map<number, unknown[]>();
  for (const [, , visitId, ...rest] of journal.tail.readEvents(0, 1_000_000)) {
    const list = events.get(Number(visitId)) ?? [];
    list.push(rest);
    events.set(Number(visitId), list);
  }
  return journal.tail
    .readVisits(0, 1_000_000)
    .map(([id, siteId, ...rest]) => {
      const visit = [domains.get(Number(siteId)), rest.slice(0, -1), events.get(Number(id))];
      return JSON.stringify(visit, (_, value: unknown) =>
        typeof value === 'bigint' ? String(value) : value,
      );
    })
    .sort();
}

/** What the reports answer, without the echo of the query. */
export async function answerOf(
  store: EmbeddedStore,
  {
    journal,
    site,
    nowMs,
  }: { readonly journal: Journal; readonly site: Site; readonly nowMs: number },
  body: QueryBody,
): Promise<Pick<QueryAnswer, 'results'>> {
  const context = {
    site,
    nowMs,
    firstEventMs: journal.tail.firstEventMs(site.id),
    goals: journal.goals.list(site.id),
  };
  const { results } = await answerQuery(parseQuery(body), context, (statement) =>
    store.query(statement),
  );
  return { results };
}
