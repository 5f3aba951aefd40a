import type { DuckDBConnection } from '@duckdb/node-api';
import type { Statement, StatementResult } from '@loggia/contract';
import { segmentsOf, setsRead, withArchive } from './archive-tables.ts';
import type { Follower } from './follower.ts';
import { type PinnedFiles, type SegmentCache, isGone } from './segment-cache.ts';
import { StatementReader } from './statement-reader.ts';
import type { StopSignal } from './stop-signal.ts';

/** Merges are minutes apart, so the second attempt succeeds unless the journal contradicts itself. */
const ATTEMPTS_MAX = 5;

/** What readers share. */
export interface ArchiveReaderParts {
  readonly follower: Follower;
  readonly cache: SegmentCache | undefined;
}

/**
 * Runs one statement over the tables in memory and the archive's files, as they are at one moment.
 * The files stay until the answer has been read.
 */
export class ArchiveReader {
  readonly #reader: StatementReader;
  readonly #parts: ArchiveReaderParts;
  #files: PinnedFiles[] = [];

  constructor(connection: DuckDBConnection, parts: ArchiveReaderParts) {
    this.#reader = new StatementReader(connection);
    this.#parts = parts;
  }

  /** Catches up with the journal and takes the snapshot that `read` answers from. */
  async begin(statement: Statement, stop: StopSignal): Promise<void> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        await this.#parts.follower.atHead(() => this.#fix(statement), stop);
        return;
      } catch (error) {
        // Merged away between the catch-up and the first use of its file; the next one knows more.
        if (!isGone(error) || attempt === ATTEMPTS_MAX) throw error;
      }
    }
  }

  async read(rowsMax: number, signal: AbortSignal): Promise<StatementResult> {
    return this.#reader.read(rowsMax, signal);
  }

  /** As `StatementReader.end`; the files may go. */
  async end(): Promise<void> {
    try {
      await this.#reader.end();
    } finally {
      for (const files of this.#files) files.release();
      this.#files = [];
    }
  }

  /** Invariant W15: files and snapshot are of one state, since no step is taken until it resolves. */
  async #fix(statement: Statement): Promise<void> {
    const { follower, cache } = this.#parts;
    const sets = setsRead(follower.sets, statement.reads);
    const [visits, events] = (['visits', 'events'] as const).map((kind) => {
      const pinned = cache?.pin(segmentsOf(sets, kind));
      if (pinned !== undefined) this.#files.push(pinned);
      return pinned?.paths ?? [];
    });
    const sql = withArchive(statement.sql, { visits: visits ?? [], events: events ?? [] });
    await this.#reader.begin({ ...statement, sql });
  }
}
