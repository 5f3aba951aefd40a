import { assert } from '@tandem/base';
import type { SegmentLevel, SegmentSet, Statement } from '@loggia/contract';
import type { NewSegment, NewSegmentSet, VisitBatch } from '@loggia/journal';
import { rollupStatements, ROLLUP_CLEAN_UP, ROLLUP_SUMS } from '@loggia/reports';
import { parquetSql, sealedRows, withArchive, type PinnedFiles } from '@loggia/warehouse';
import { BuildSpace, type BuildSpaceOptions } from './build-space.ts';
import { type MergePlan, monthStart } from './merge-plan.ts';
import type { SiteCalendar } from './site-calendar.ts';

/** A set and when each site's first visit in it began. */
export interface BuiltSet {
  readonly set: NewSegmentSet;
  readonly firstStarts: readonly { readonly siteId: number; readonly startMs: number }[];
}

/** SELECTs of the columns of `visit` and of `event`; the second may read the table `visit`. */
export interface SelectedVisits {
  readonly visits: string;
  readonly events: string;
}

/** What the sums of a part depend on beside its rows. */
export interface PartFacts {
  /** On which all of the visits began. */
  readonly day: number;
  readonly calendar: SiteCalendar;
  /** Sets that hold visits of the same day. */
  readonly known: readonly SegmentSet[];
}

/** Visits that leave a set for good. */
export interface Removal {
  /** One column, `id`, over `visit` and `event`. */
  readonly chosen: Statement;
  readonly calendar: SiteCalendar;
  /** Sets that hold visits of the same days, the set itself among them. */
  readonly known: readonly SegmentSet[];
  readonly siteId: number;
  /**
   * What becomes of the sums: what the visits had added is subtracted, or they stay although the
   * visits go, or all of the site's are dropped.
   */
  readonly sums: 'subtract' | 'keep' | 'drop';
}

/** Makes the files of sets. */
export class SegmentBuilder {
  readonly #space: BuildSpace;

  private constructor(space: BuildSpace) {
    this.#space = space;
  }

  /** @throws WarehouseError `open_failed` */
  static async open(options: BuildSpaceOptions): Promise<SegmentBuilder> {
    return new SegmentBuilder(await BuildSpace.open(options));
  }

  close(): void {
    this.#space.close();
  }

  /** The set of visits that all began on one day of their sites. */
  async buildPart(batch: VisitBatch, facts: PartFacts): Promise<BuiltSet> {
    await this.#space.fillPacked(batch);
    return this.#build('part', facts);
  }

  /** As `buildPart`, of the rows of two SELECTs, as a set of its day. */
  async buildDay(rows: SelectedVisits, facts: PartFacts): Promise<BuiltSet> {
    await this.#space.clear();
    await this.#space.fillSelected(rows);
    return this.#build('day', facts);
  }

  async #build(level: SegmentLevel, { day, calendar, known }: PartFacts): Promise<BuiltSet> {
    const space = this.#space;
    await space.fillDays(calendar);
    await space.fillKnown(known);
    const visits = await space.writeRows('visits', 'visit');
    const events = await space.writeRows('events', 'event');
    assert(visits !== undefined && events !== undefined, 'a visit has an event');
    const segments = present([visits, events, await space.writeRollups()]);
    const [fromMs, toMs] = await this.#timeRange();
    const firstStarts = await this.#firstStarts();
    await space.clear();
    const counts = { visits: visits.rows, events: events.rows };
    const set = { level, firstDay: day, lastDay: day, fromMs, toMs, ...counts, segments };
    return { set, firstStarts };
  }

  /** One set of all that the sets of a plan hold. */
  async merge({ level, sets }: MergePlan): Promise<NewSegmentSet> {
    const files = this.#pin(sets);
    try {
      const segments = present([
        await this.#writeFrom('visits', files),
        await this.#writeFrom('events', files),
        ...(await this.#writeSums(level, spanOf(sets).firstDay, sumsSql(files))),
      ]);
      return { level, segments, ...spanOf(sets) };
    } finally {
      files.release();
    }
  }

  /**
   * The set without the chosen visits, and how many these are; undefined when nothing changes.
   *
   * Invariant A2: what they alone had added to the sums is subtracted. A visitor who has another
   * visit of the same day and value goes on being counted.
   */
  async without(
    set: SegmentSet,
    removal: Removal,
  ): Promise<{ readonly set: NewSegmentSet; readonly removed: number } | undefined> {
    const files = this.#pin([set]);
    try {
      const removed = await this.#choose(files, removal.chosen);
      if (removed === 0 && !(await this.#hasSumsToDrop(files, removal))) return undefined;
      const sums = await this.#sumsWithout(files, removal);
      const kept = [
        await this.#writeFrom('visits', files, 'WHERE id NOT IN (SELECT id FROM chosen)'),
        await this.#writeFrom('events', files, 'WHERE visit_id NOT IN (SELECT id FROM chosen)'),
      ];
      const segments = present([
        ...kept,
        ...(await this.#writeSums(set.level, set.firstDay, sums)),
      ]);
      const [visits = 0, events = 0] = kept.map((segment) => segment?.rows ?? 0);
      return { set: { ...set, visits, events, segments }, removed };
    } finally {
      await this.#space.clear();
      await this.#space.run('DROP TABLE IF EXISTS lost');
      files.release();
    }
  }

  /** Makes `chosen`; how many visits of the files it names. */
  async #choose(files: SetFiles, { sql, parameters }: Statement): Promise<number> {
    const space = this.#space;
    await space.clear();
    if (files.visits.length === 0) return 0;
    const chosen = withArchive(sql, { visits: files.visits, events: files.events });
    await space.run('CREATE TABLE chosen (id BIGINT)');
    // Empty tables under the names that the definitions add files to.
    await space.fillSelected(NO_ROWS);
    await space.run(`INSERT INTO chosen ${chosen}`, parameters.map(bindable));
    await space.run('DROP TABLE visit; DROP TABLE event');
    return (await space.numbers('SELECT count(*) FROM chosen'))[0]?.[0] ?? 0;
  }

  async #hasSumsToDrop({ rollups }: SetFiles, { siteId, sums }: Removal): Promise<boolean> {
    if (sums !== 'drop' || rollups.length === 0) return false;
    const sql = `SELECT count(*) FROM ${parquetSql(rollups)} WHERE site_id = ${siteId}`;
    return (await this.#space.numbers(sql))[0]?.[0] !== 0;
  }

  async #sumsWithout(files: SetFiles, removal: Removal): Promise<string | undefined> {
    const sums = sumsSql(files);
    if (sums === undefined || removal.sums === 'keep') return sums;
    return removal.sums === 'drop'
      ? `(FROM ${sums} WHERE site_id <> ${removal.siteId})`
      : this.#sumsLess(files, removal);
  }

  /** The sums of the files less what the chosen visits had added to them. */
  async #sumsLess(files: SetFiles, { calendar, known }: Removal): Promise<string> {
    const space = this.#space;
    await space.fillSelected({
      visits: `FROM (${sealedRows('visits', files.visits)}) WHERE id IN (SELECT id FROM chosen)`,
      events: `FROM (${sealedRows('events', files.events)}) WHERE visit_id IN (SELECT id FROM chosen)`,
    });
    await space.fillDays(calendar);
    await space.fillKnown(known);
    const { prepare, select } = rollupStatements();
    for (const statement of prepare) await space.run(statement);
    const negated = ROLLUP_SUMS.map((name) => `-${name} AS ${name}`).join(', ');
    await space.run(
      `CREATE OR REPLACE TABLE lost AS
         SELECT site_id, dimension, value, day, ${negated} FROM (${select})`,
    );
    for (const statement of ROLLUP_CLEAN_UP) await space.run(statement);
    return `(FROM ${parquetSql(files.rollups)} UNION ALL BY NAME FROM lost)`;
  }

  /** When the site's first visit in the set began. */
  async oldestMs(set: SegmentSet, siteId: number): Promise<number | undefined> {
    const files = this.#space.pin([set], 'visits');
    try {
      if (files.paths.length === 0) return undefined;
      const sql = `SELECT min(start_ms) FROM ${parquetSql(files.paths)} WHERE site_id = ${siteId}
        HAVING count(*) > 0`;
      return (await this.#space.numbers(sql))[0]?.[0];
    } finally {
      files.release();
    }
  }

  /** The ids of the visits of a batch that a statement chooses. */
  async chosenOf(batch: VisitBatch, { sql, parameters }: Statement): Promise<readonly number[]> {
    const space = this.#space;
    await space.fillPacked(batch);
    await space.run('CREATE TABLE chosen (id BIGINT)');
    await space.run(`INSERT INTO chosen ${sql}`, parameters.map(bindable));
    const rows = await space.numbers('SELECT id FROM chosen ORDER BY id');
    await space.clear();
    return rows.flat();
  }

  async #writeFrom(
    kind: 'visits' | 'events',
    files: SetFiles,
    condition = '',
  ): Promise<NewSegment | undefined> {
    const paths = files[kind];
    if (paths.length === 0) return undefined;
    return this.#space.writeRows(kind, `(${sealedRows(kind, paths)}) ${condition}`);
  }

  /** The sums by day and, of a month, by month. */
  async #writeSums(
    level: SegmentLevel,
    firstDay: number,
    sums: string | undefined,
  ): Promise<readonly (NewSegment | undefined)[]> {
    if (sums === undefined) return [];
    const byDay = await this.#space.writeSums('rollups', sums, 'day');
    if (level !== 'month') return [byDay];
    const day = monthSql(monthStart(firstDay));
    return [byDay, await this.#space.writeSums('months', sums, day)];
  }

  #pin(sets: readonly SegmentSet[]): SetFiles {
    const pinned = (['visits', 'events', 'rollups'] as const).map((kind) =>
      this.#space.pin(sets, kind),
    );
    const [visits, events, rollups] = pinned.map(({ paths }) => paths);
    const release = (): void => {
      for (const files of pinned) files.release();
    };
    return { visits: visits ?? [], events: events ?? [], rollups: rollups ?? [], release };
  }

  async #timeRange(): Promise<readonly [number, number]> {
    const [row] = await this.#space.numbers(
      `SELECT least((SELECT min(start_ms) FROM visit), (SELECT min(time_ms) FROM event)),
         greatest((SELECT max(last_ms) FROM visit), (SELECT max(time_ms) FROM event))`,
    );
    const [fromMs, toMs] = row ?? [];
    assert(fromMs !== undefined && toMs !== undefined, 'there is a visit');
    return [fromMs, toMs];
  }

  async #firstStarts(): Promise<BuiltSet['firstStarts']> {
    const rows = await this.#space.numbers(
      'SELECT site_id, min(start_ms) FROM visit GROUP BY site_id ORDER BY site_id',
    );
    return rows.map(([siteId = 0, startMs = 0]) => ({ siteId, startMs }));
  }
}

interface SetFiles {
  readonly visits: readonly string[];
  readonly events: readonly string[];
  readonly rollups: readonly string[];
  readonly release: PinnedFiles['release'];
}

const NO_ROWS = { visits: 'SELECT 0 AS id LIMIT 0', events: 'SELECT 0 AS id LIMIT 0' };

function bindable(value: Statement['parameters'][number]): string | number {
  return typeof value === 'string' ? value : Number(value);
}

function present(segments: readonly (NewSegment | undefined)[]): readonly NewSegment[] {
  return segments.filter((segment) => segment !== undefined);
}

function sumsSql({ rollups }: SetFiles): string | undefined {
  return rollups.length === 0 ? undefined : parquetSql(rollups);
}

/**
 * The first day of the month for days in it. What visits that went on past its end add to later days
 * keeps its day, since those may be asked for without the month.
 */
function monthSql(firstDay: number): string {
  const nextFirstDay = monthStart(firstDay + 31);
  return `CASE WHEN day >= ${firstDay} AND day < ${nextFirstDay} THEN ${firstDay} ELSE day END`;
}

function spanOf(sets: readonly SegmentSet[]): Omit<NewSegmentSet, 'level' | 'segments'> {
  const least = (of: (set: SegmentSet) => number): number => Math.min(...sets.map(of));
  const most = (of: (set: SegmentSet) => number): number => Math.max(...sets.map(of));
  const sum = (of: (set: SegmentSet) => number): number =>
    sets.reduce((total, set) => total + of(set), 0);
  return {
    firstDay: least((set) => set.firstDay),
    lastDay: most((set) => set.lastDay),
    fromMs: least((set) => set.fromMs),
    toMs: most((set) => set.toMs),
    visits: sum((set) => set.visits),
    events: sum((set) => set.events),
  };
}
