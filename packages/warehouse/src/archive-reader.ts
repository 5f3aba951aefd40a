import type { DuckDBConnection } from '@duckdb/node-api';
import type { ArchiveReads, Segment, Statement, StatementResult } from '@loggia/contract';
import {
  type ArchiveFiles,
  rollupSegments,
  segmentsOf,
  setsRead,
  withArchive,
} from './archive-tables.ts';
import type { Follower } from './follower.ts';
import { completed, rawSpan } from './raw-span.ts';
import { type PinnedFiles, type SegmentCache, isGone } from './segment-cache.ts';
import { StatementReader } from './statement-reader.ts';
import type { StopSignal } from './stop-signal.ts';

/** Merges are minutes apart, so the second attempt succeeds unless the journal contradicts itself. */
const ATTEMPTS_MAX = 5;

const NOTHING_COUNTED = { visits: [], events: [] };

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
        await this.end();
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
    await this.#reader.open();
    const { follower } = this.#parts;
    const { rolledUp } = statement;
    if (rolledUp === undefined) return this.#beginCounted(statement);
    const tail = await this.#reader.tailSpan(rolledUp);
    const raw = rawSpan(rolledUp, tail);
    const endDay = rolledUp.firstDay + rolledUp.dayStartsMs.length - 1;
    const days = raw ?? { fromMs: 0, toMs: 0, fromDay: endDay, endDay };
    // Sums of no day at all would be read for nothing.
    if (days.fromDay <= rolledUp.firstDay && days.endDay >= endDay) {
      return this.#beginCounted(statement);
    }
    const rollups = this.#pin(rollupSegments(follower.sets, rolledUp, days));
    const { sql, parameters } = completed(raw === undefined ? rolledUp.summed : rolledUp.mixed, {
      rawFromMs: days.fromMs,
      rawToMs: days.toMs,
      rawFromDay: days.fromDay,
      rawEndDay: days.endDay,
    });
    const counted = raw === undefined ? NOTHING_COUNTED : this.#pinCounted(raw);
    await this.#reader.begin({ sql: withArchive(sql, { ...counted, rollups }), parameters });
  }

  async #beginCounted(statement: Statement): Promise<void> {
    const files = { ...this.#pinCounted(statement.reads), rollups: [] };
    await this.#reader.begin({ ...statement, sql: withArchive(statement.sql, files) });
  }

  #pinCounted(reads: ArchiveReads | undefined): Pick<ArchiveFiles, 'visits' | 'events'> {
    const sets = setsRead(this.#parts.follower.sets, reads);
    return {
      visits: this.#pin(segmentsOf(sets, 'visits')),
      events: this.#pin(segmentsOf(sets, 'events')),
    };
  }

  #pin(segments: readonly Segment[]): readonly string[] {
    const pinned = this.#parts.cache?.pin(segments);
    if (pinned === undefined) return [];
    this.#files.push(pinned);
    return pinned.paths;
  }
}
