import type { Site } from '@loggia/contract';
import type { EventStore } from '@loggia/warehouse';
import { columnsOf, type ExportCell, type ExportVisit } from './export-columns.ts';
import {
  hoursStatement,
  planWindows,
  visitsStatement,
  type ExportWindow,
  type HourCount,
  type TimeSpan,
} from './export-statements.ts';

/** A site and the time of which it is exported. */
export interface ExportPart {
  readonly site: Site;
  readonly span: TimeSpan;
}

/** Some visits of an export, and how far it has come. */
export interface ExportPage {
  readonly visits: readonly ExportVisit[];
  /** 0 to 1. */
  readonly share: number;
}

/** With pings, rows of a window are about twice its events. */
const WINDOW_EVENTS_MAX = 5_000;
/** Loading a long tail is part of the first query. */
const QUERY_OPTIONS = { timeoutMs: 24 * 3_600_000, rowsMax: 50_000_000 } as const;

interface Task {
  readonly site: Site;
  readonly window: ExportWindow;
}

/**
 * The visits of all parts, site by site in the order given, by their beginning. Memory is
 * needed for two windows: one is asked for while the other is taken.
 */
export async function* exportPages(
  store: EventStore,
  parts: readonly ExportPart[],
): AsyncGenerator<ExportPage> {
  const tasks: Task[] = [];
  for (const { site, span } of parts) {
    const hours = await hoursOf(store, site, span);
    for (const window of planWindows(hours, span, WINDOW_EVENTS_MAX)) tasks.push({ site, window });
  }
  let pending = askFor(store, tasks[0]);
  for (const [index] of tasks.entries()) {
    const visits = await pending;
    pending = askFor(store, tasks[index + 1]);
    // Whoever takes no more of these does not wait for it either.
    pending.catch(() => undefined);
    yield { visits, share: (index + 1) / tasks.length };
  }
}

async function hoursOf(store: EventStore, site: Site, span: TimeSpan): Promise<HourCount[]> {
  const { rows } = await store.query(hoursStatement(site.id, span), QUERY_OPTIONS);
  return rows.map(([hour, visits, events, lastMs]) => ({
    hour: Number(hour),
    visits: Number(visits),
    events: Number(events),
    lastMs: Number(lastMs),
  }));
}

async function askFor(store: EventStore, task: Task | undefined): Promise<readonly ExportVisit[]> {
  if (task === undefined) return [];
  const { domain, timezone, id } = task.site;
  const { rows } = await store.query(visitsStatement(id, task.window), QUERY_OPTIONS);
  return rows.map(([text]) => visitOf([domain, timezone], String(text)));
}

const JSON_CELLS = columnsOf('event').flatMap(({ kind }, index) =>
  kind === 'json' ? [index] : [],
);

function visitOf(site: readonly ExportCell[], text: string): ExportVisit {
  const visit = JSON.parse(text) as (ExportCell | ExportCell[][])[];
  const events = visit.pop() as ExportCell[][];
  for (const event of events) {
    for (const index of JSON_CELLS) {
      const cell = event[index] ?? null;
      event[index] = cell === null ? null : JSON.stringify(cell);
    }
  }
  return { site, visit: visit as ExportCell[], events };
}
