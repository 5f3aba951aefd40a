/**
 * Keeps the mirror at the head of the journal.
 *
 * A round reads in steps of bounded size; each step is one snapshot of the journal and one
 * transaction of the engine. The invariants it holds (W1, W2, W3, W4, W5 and W15) are in `../DESIGN.md`.
 */
import {
  PACKED_SEPARATOR,
  VISIT_COLUMNS,
  type PackedRows,
  type SegmentSet,
} from '@loggia/contract';
import { assert } from '@tandem/base';
import { segmentsOf } from './archive-tables.ts';
import { catchUpError } from './engine-error.ts';
import type { Mirror } from './mirror.ts';
import { type SegmentCache, isGone } from './segment-cache.ts';
import type { StopSignal } from './stop-signal.ts';
import type { SumsTable } from './sums-table.ts';
import type { TailHead, TailSource } from './tail-source.ts';
import { WarehouseError } from './warehouse-error.ts';

/** Rows of each table in one step: bounds the memory of a step and the time of its reads. */
const STEP_ROWS_MAX = 4096;

/**
 * Rows that go on arriving faster than they are taken in must not keep those waiting for ever who
 * asked before them. After so many steps past what was asked for, the round ends although the
 * tables may then hold half of the newest commits.
 */
const STEPS_PAST_TARGET_MAX = 32;

const VISIT_ID = VISIT_COLUMNS.findIndex((column) => column.name === 'id');

/** Where the journal or the tables stand, sealed visits included. */
interface Head extends TailHead {
  readonly archive: number;
}

interface Step {
  readonly head: Head;
  /** The archive's sets, when they are others than those of the tables. */
  readonly sets: readonly SegmentSet[] | undefined;
  readonly events: PackedRows;
  readonly visits: PackedRows;
  /** True when nothing of the snapshot is left to be read. */
  readonly complete: boolean;
}

export interface FollowerParts {
  readonly tail: TailSource;
  readonly mirror: Mirror;
  /** Needed when the tail has an archive. */
  readonly cache: SegmentCache | undefined;
  readonly sums: SumsTable | undefined;
  readonly stepRowsMax: number | undefined;
}

export class Follower {
  readonly #tail: TailSource;
  readonly #mirror: Mirror;
  readonly #cache: SegmentCache | undefined;
  readonly #sums: SumsTable | undefined;
  readonly #stepRowsMax: number;
  /** Undefined until the tables exist. */
  #position: Head | undefined;
  #sets: readonly SegmentSet[] = [];
  /** Changes up to this number were there when loading began: no older state is in the table. */
  #firstChange = 0;
  /** The greatest visit id in the table. */
  #visitIdMax = 0;
  /** True while the tables equal one state of the journal. */
  #whole = false;
  #ready = false;
  #stepCount = 0;
  #closed = false;
  #round: Promise<void> | undefined;
  readonly #fixing = new Set<Promise<unknown>>();

  constructor(parts: FollowerParts) {
    this.#tail = parts.tail;
    this.#mirror = parts.mirror;
    this.#cache = parts.cache;
    this.#sums = parts.sums;
    this.#stepRowsMax = parts.stepRowsMax ?? STEP_ROWS_MAX;
  }

  /** The archive's sets that go with the tables; within `atHead`, with the snapshot. */
  get sets(): readonly SegmentSet[] {
    return this.#sets;
  }

  /** Rises with every step that was taken in. */
  get stepCount(): number {
    return this.#stepCount;
  }

  /** True from the first complete catch-up on. */
  get ready(): boolean {
    return this.#ready;
  }

  /** The last event taken in. */
  get eventId(): number {
    return this.#position?.eventId ?? 0;
  }

  /** Events that the journal has beyond the last one taken in. */
  behindRows(): number {
    return Math.max(0, this.#readHead().eventId - this.eventId);
  }

  /**
   * Takes in everything that was committed before the call. Calls share rounds: a call during a
   * round needs the one after it, since the round may have read before the call's commit.
   *
   * @throws WarehouseError; the tables are then as after the last step that succeeded
   */
  async catchUp(): Promise<void> {
    const running = this.#round;
    if (running === undefined) {
      if (this.#whole && isAt(this.#position, this.#readHead())) return;
    } else {
      // Its failure belongs to those who started it; this call tries for itself.
      await running.catch(() => undefined);
    }
    this.#round ??= this.#runRound().finally(() => {
      this.#round = undefined;
    });
    await this.#round;
  }

  /**
   * Catches up, then runs `fix`, which has to take its snapshot of the tables before it resolves,
   * while the tables equal one state of the journal. `stop` ends the wait, not `fix`.
   */
  async atHead<Result>(fix: () => Promise<Result>, stop: StopSignal): Promise<Result> {
    do await stop.race(this.catchUp());
    while (!this.#whole);
    const fixed = fix();
    this.#fixing.add(fixed);
    try {
      return await fixed;
    } finally {
      this.#fixing.delete(fixed);
    }
  }

  /** Ends the round under way after its step; every later call fails with `store_closed`. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.#round?.catch(() => undefined);
  }

  async #runRound(): Promise<void> {
    try {
      const target = this.#readHead();
      let stepsPastTarget = 0;
      for (let reached = false; !reached;) {
        if (this.#closed) throw new WarehouseError('store_closed', 'The store has been closed.');
        const step = this.#readStep();
        if (this.#mustReset(step.head)) {
          await this.#reset(step);
          continue;
        }
        if (covers(this.#position, target)) stepsPastTarget += 1;
        const isLast = step.complete || stepsPastTarget > STEPS_PAST_TARGET_MAX;
        if (!(await this.#tryTakeStep(step, isLast))) continue;
        reached = isLast;
        await this.#mirror.compact();
      }
    } catch (error) {
      throw catchUpError(error);
    }
  }

  /** False when a set that was read has been merged away since; the next step knows more. */
  async #tryTakeStep(step: Step, isLast: boolean): Promise<boolean> {
    try {
      await this.#takeStep(step, isLast);
      return true;
    } catch (error) {
      if (isGone(error)) return false;
      throw error;
    }
  }

  async #takeStep(step: Step, isLast: boolean): Promise<void> {
    if (!isLast || step.sets !== undefined) await this.#leaveWhole();
    await this.#apply(step);
    this.#stepCount += 1;
    this.#position = positionAfter(step, this.#position);
    await this.#keepSets(step.sets);
    if (!isLast) return;
    this.#whole = true;
    this.#ready = true;
  }

  /**
   * Invariant W15: in one transaction the visits that were sealed leave the tables; in the same
   * moment, as queries see it, their files join, since none takes its snapshot meanwhile.
   */
  async #apply({ events, visits, sets = [] }: Step): Promise<void> {
    const sealedBefore = this.#position?.archive ?? 0;
    const sealed = sets.filter((set) => set.sealed > sealedBefore);
    if (events.rowCount === 0 && visits.rowCount === 0 && sealed.length === 0) return;
    const files = this.#cache?.pin(segmentsOf(sealed, 'visits'));
    try {
      await this.#applyRows({ events, visits }, files?.paths ?? []);
    } finally {
      files?.release();
    }
  }

  async #applyRows(
    { events, visits }: Pick<Step, 'events' | 'visits'>,
    sealedFiles: readonly string[],
  ): Promise<void> {
    const ids = visitIdsOf(visits);
    const isFirstState = visits.last <= this.#firstChange;
    const replacedIds = isFirstState ? [] : ids.filter((id) => id <= this.#visitIdMax);
    await this.#mirror.apply({ events, visits, replacedIds, sealedFiles });
    for (const id of ids) this.#visitIdMax = Math.max(this.#visitIdMax, id);
  }

  async #keepSets(sets: readonly SegmentSet[] | undefined): Promise<void> {
    if (sets === undefined) return;
    this.#sets = sets;
    const segments = sets.flatMap((set) => set.segments);
    this.#cache?.keep(segments);
    await this.#sums?.keep(new Set(segments.map(({ id }) => id)));
  }

  #mustReset(head: Head): boolean {
    const position = this.#position;
    return (
      position === undefined ||
      position.epoch !== head.epoch ||
      position.eventId > head.eventId ||
      position.visitChange > head.visitChange ||
      position.archive > head.archive
    );
  }

  async #reset({ head, sets }: Step): Promise<void> {
    await this.#leaveWhole();
    await this.#mirror.reset();
    this.#position = { eventId: 0, visitChange: 0, epoch: head.epoch, archive: head.archive };
    this.#stepCount += 1;
    this.#sums?.clear();
    await this.#keepSets(sets);
    this.#firstChange = head.visitChange;
    this.#visitIdMax = 0;
  }

  /** From here on the tables lie between two states; queries that are starting finish that first. */
  async #leaveWhole(): Promise<void> {
    this.#whole = false;
    while (this.#fixing.size > 0) await Promise.allSettled(this.#fixing);
  }

  #readHead(): Head {
    return readJournal(() => headOf(this.#tail));
  }

  #readStep(): Step {
    const rowsMax = this.#stepRowsMax;
    const read = (): Step => {
      const head = headOf(this.#tail);
      const { eventId, visitChange } = this.#position ?? head;
      const events = this.#tail.packEvents(eventId, rowsMax);
      const visits = this.#tail.packVisits(visitChange, rowsMax);
      const complete = events.rowCount < rowsMax && visits.rowCount < rowsMax;
      const hasOtherSets = this.#position?.archive !== head.archive || this.#mustReset(head);
      const sets = hasOtherSets ? (this.#tail.archive?.sets() ?? []) : undefined;
      return { head, sets, events, visits, complete };
    };
    return readJournal(() =>
      this.#tail.snapshot === undefined ? read() : this.#tail.snapshot(read),
    );
  }
}

function headOf(tail: TailSource): Head {
  return { ...tail.head(), archive: tail.archive?.version() ?? 0 };
}

function positionAfter(step: Step, before: Head | undefined): Head {
  assert(before !== undefined, 'a step is taken into tables that exist');
  // The head may lie beyond the last row when that row has been deleted.
  const floor = step.complete ? step.head : before;
  return {
    eventId: Math.max(floor.eventId, step.events.last),
    visitChange: Math.max(floor.visitChange, step.visits.last),
    epoch: before.epoch,
    archive: step.head.archive,
  };
}

function visitIdsOf({ rowCount, columns }: PackedRows): number[] {
  const ids = new TextDecoder().decode(columns[VISIT_ID]);
  return rowCount === 0 ? [] : ids.split(PACKED_SEPARATOR).map(Number);
}

/** Not `covers`: a journal that has gone back is not where the tables are. */
function isAt(position: Head | undefined, head: Head): boolean {
  return (
    position?.archive === head.archive &&
    position.epoch === head.epoch &&
    position.eventId === head.eventId &&
    position.visitChange === head.visitChange
  );
}

function covers(position: Head | undefined, head: Head): boolean {
  return (
    position !== undefined &&
    position.archive >= head.archive &&
    position.epoch === head.epoch &&
    position.eventId >= head.eventId &&
    position.visitChange >= head.visitChange
  );
}

function readJournal<Result>(read: () => Result): Result {
  try {
    return read();
  } catch (error) {
    throw new WarehouseError('journal_unreadable', 'The journal could not be read.', {
      cause: error,
      retryable: true,
    });
  }
}
