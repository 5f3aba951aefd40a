import type { Goal } from '@loggia/contract';
import { assert } from '@tandem/base';
import { integerOf, integerOrNullOf, textOf, textOrNullOf } from './cell.ts';
import type { Cells, Connection, Query } from './connection.ts';
import { JournalError } from './journal-error.ts';

interface GoalText {
  readonly siteId: number;
  /** Drawn from the aim when absent. */
  readonly displayName?: string;
}

/** A goal's aim, and what it is called. */
export type NewGoal =
  | (GoalText & { readonly kind: 'event'; readonly eventName: string; readonly currency?: string })
  | (GoalText & { readonly kind: 'page'; readonly pagePattern: string })
  | (GoalText & {
      readonly kind: 'scroll';
      readonly pagePattern: string;
      /** Per cent, 1 to 100. */
      readonly scrollThreshold: number;
    });

const COLUMNS =
  'id, site_id, display_name, kind, event_name, page_pattern, scroll_threshold, currency';

/** What the owners of sites want visitors to do. */
export class Goals {
  readonly #connection: Connection;
  readonly #insert: Query;
  readonly #byId: Query;
  readonly #byAim: Query;
  readonly #list: Query;
  readonly #siteExists: Query;
  readonly #delete: Query;

  constructor(connection: Connection) {
    this.#connection = connection;
    this.#insert = connection.query(
      `INSERT INTO goal
         (site_id, display_name, kind, event_name, page_pattern, scroll_threshold, currency)
       VALUES (?, ?, ?, ?, ?, ?, ?)`,
    );
    this.#byId = connection.query(`SELECT ${COLUMNS} FROM goal WHERE id = ?`);
    this.#byAim = connection.query(
      `SELECT ${COLUMNS} FROM goal
       WHERE site_id = ? AND kind = ? AND event_name IS ? AND page_pattern IS ?
         AND scroll_threshold IS ?`,
    );
    this.#list = connection.query(`SELECT ${COLUMNS} FROM goal WHERE site_id = ? ORDER BY id`);
    this.#siteExists = connection.query('SELECT 1 FROM site WHERE id = ?');
    this.#delete = connection.query('DELETE FROM goal WHERE id = ? AND site_id = ?');
  }

  /** The site's goals, oldest first. */
  list(siteId: number): Goal[] {
    return this.#list.all(siteId).map(readGoal);
  }

  byId(id: number): Goal | undefined {
    const cells = this.#byId.get(id);
    return cells === undefined ? undefined : readGoal(cells);
  }

  /**
   * The goal with that aim: the existing one unchanged, whatever it is called, else a new one.
   *
   * @throws JournalError `site_missing`, or `goal_exists` when another aim has that name.
   */
  create(goal: NewGoal): Goal {
    const { siteId, kind } = goal;
    const eventName = goal.kind === 'event' ? goal.eventName : null;
    const pagePattern = goal.kind === 'event' ? null : goal.pagePattern;
    const scrollThreshold = goal.kind === 'scroll' ? goal.scrollThreshold : null;
    const currency = goal.kind === 'event' ? (goal.currency ?? null) : null;
    if (scrollThreshold !== null) {
      assert(scrollThreshold >= 1 && scrollThreshold <= 100, 'a threshold is 1 to 100 per cent');
    }
    const displayName = goal.displayName ?? defaultName(goal);
    return this.#connection.atomically(() => {
      if (this.#siteExists.get(siteId) === undefined) {
        throw new JournalError('site_missing', `no site has the id ${siteId}`);
      }
      const same = this.#byAim.get(siteId, kind, eventName, pagePattern, scrollThreshold);
      if (same !== undefined) return readGoal(same);
      if (this.list(siteId).some((other) => other.displayName === displayName)) {
        throw new JournalError('goal_exists', `another goal is called '${displayName}' already`, {
          hint: 'Give this goal another display name.',
        });
      }
      const aim = [kind, eventName, pagePattern, scrollThreshold, currency];
      const id = this.#insert.insert(siteId, displayName, ...aim);
      const created = this.byId(id);
      assert(created !== undefined, 'what was inserted is there');
      return created;
    });
  }

  /** False when the site has no such goal. */
  remove(siteId: number, id: number): boolean {
    return this.#delete.run(id, siteId) === 1;
  }
}

function defaultName(goal: NewGoal): string {
  if (goal.kind === 'event') return goal.eventName;
  if (goal.kind === 'page') return `Visit ${goal.pagePattern}`;
  return `Scroll ${goal.scrollThreshold}% on ${goal.pagePattern}`;
}

function readGoal(cells: Cells): Goal {
  return {
    id: integerOf(cells[0]),
    siteId: integerOf(cells[1]),
    displayName: textOf(cells[2]),
    kind: kindOf(textOf(cells[3])),
    eventName: textOrNullOf(cells[4]),
    pagePattern: textOrNullOf(cells[5]),
    scrollThreshold: integerOrNullOf(cells[6]),
    currency: textOrNullOf(cells[7]),
  };
}

function kindOf(text: string): Goal['kind'] {
  assert(text === 'event' || text === 'page' || text === 'scroll', 'a goal is of a known kind');
  return text;
}
