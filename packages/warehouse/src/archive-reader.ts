import type { DuckDBConnection } from '@duckdb/node-api';
import type { ArchiveReads, RolledUp, Segment, Statement, StatementResult } from '@loggia/contract';
import {
  type ArchiveFiles,
  heldSums,
  isWorthHolding,
  rollupSegments,
  segmentsOf,
  sumsInFiles,
  setsRead,
  withArchive,
} from './archive-tables.ts';
import type { Follower } from './follower.ts';
import { inlined } from './inlined.ts';
import { completed, rawSpan, type TailSpan } from './raw-span.ts';
import { type SegmentCache, isGone } from './segment-cache.ts';
import { StatementReader } from './statement-reader.ts';
import type { TailSpans } from './tail-spans.ts';
import type { SumsTable } from './sums-table.ts';
import type { StopSignal } from './stop-signal.ts';

/** Merges are minutes apart, so the second attempt succeeds unless the journal contradicts itself. */
const ATTEMPTS_MAX = 5;

const NOTHING_COUNTED = { visits: [], events: [] };

/** What readers share. */
export interface ArchiveReaderParts {
  readonly follower: Follower;
  readonly cache: SegmentCache | undefined;
  readonly sums: SumsTable | undefined;
  readonly tailSpans: TailSpans;
}

/**
 * Runs one statement over the tables in memory and the archive's files, as they are at one moment.
 * The files stay until the answer has been read.
 */
export class ArchiveReader {
  readonly #reader: StatementReader;
  readonly #parts: ArchiveReaderParts;
  /** Files and slices of sums that must not go while the statement runs. */
  #held: { readonly release: () => void }[] = [];

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
      for (const held of this.#held) held.release();
      this.#held = [];
    }
  }

  /** Invariant W15: files and snapshot are of one state, since no step is taken until it resolves. */
  async #fix(statement: Statement): Promise<void> {
    const { follower } = this.#parts;
    const { rolledUp } = statement;
    if (rolledUp === undefined) return this.#beginCounted(statement);
    const tail = await this.#tailSpan(rolledUp);
    const raw = rawSpan(rolledUp, tail);
    const endDay = rolledUp.firstDay + rolledUp.dayStartsMs.length - 1;
    const days = raw ?? { fromMs: 0, toMs: 0, fromDay: endDay, endDay };
    // Sums of no day at all would be read for nothing.
    if (days.fromDay <= rolledUp.firstDay && days.endDay >= endDay) {
      return this.#beginCounted(statement);
    }
    const segments = rollupSegments(follower.sets, rolledUp, days);
    const rollups = await this.#rollups(rolledUp, segments);
    const summed = completed(raw === undefined ? rolledUp.summed : rolledUp.mixed, {
      rawFromMs: days.fromMs,
      rawToMs: days.toMs,
      rawFromDay: days.fromDay,
      rawEndDay: days.endDay,
    });
    const counted = raw === undefined ? NOTHING_COUNTED : this.#pinCounted(raw);
    await this.#begin(inlined(summed), { ...counted, rollups });
  }

  /** The SELECT of the sums that are read. */
  async #rollups(range: RolledUp, segments: readonly Segment[]): Promise<string> {
    if (!isWorthHolding(range)) return sumsInFiles(this.#pin(segments));
    const { siteId, dimensions } = range;
    const release = await this.#parts.sums?.hold({ siteId, dimensions, segments });
    if (release !== undefined) this.#held.push({ release });
    return heldSums(segments);
  }

  /** What was found stays true until the tables change. */
  async #tailSpan(range: RolledUp): Promise<TailSpan | undefined> {
    const { follower, tailSpans } = this.#parts;
    const key = `${range.siteId} ${range.dayStartsMs[0]} ${range.toMs}`;
    const known = tailSpans.get(follower.stepCount, key);
    if (known !== undefined) return known.span;
    const span = await this.#reader.tailSpan(range);
    tailSpans.set(follower.stepCount, key, { span });
    return span;
  }

  async #beginCounted(statement: Statement): Promise<void> {
    const files = this.#pinCounted(statement.reads);
    // Only statements that say what they read are known to have values for placeholders alone.
    await this.#begin(statement.reads === undefined ? statement : inlined(statement), files);
  }

  async #begin(statement: Statement, files: ArchiveFiles): Promise<void> {
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
    this.#held.push(pinned);
    return pinned.paths;
  }
}
