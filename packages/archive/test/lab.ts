import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import type { Site } from '@loggia/contract';
import { Journal, type NewEvent, type NewVisit } from '@loggia/journal';
import { EmbeddedStore, type EmbeddedStoreOptions } from '@loggia/warehouse';
import {
  Eraser,
  Merger,
  Sealer,
  type EraserOptions,
  type MergerOptions,
  type SealerOptions,
  type SegmentBuilder,
} from '../src/index.ts';
import { openBuilder } from './open-builder.ts';
import { temporaryFolder } from './temporary-folder.ts';

export const MIB = 1024 * 1024;
export const MINUTE_MS = 60_000;
export const HOUR_MS = 60 * MINUTE_MS;
export const DAY_MS = 24 * HOUR_MS;

/** A journal with an archive, and a store over it. */
export interface Lab {
  readonly folder: string;
  readonly journal: Journal;
  readonly store: EmbeddedStore;
  readonly builder: SegmentBuilder;
  readonly addSite: (timezone?: string) => Site;
  readonly sealer: (options?: Partial<SealerOptions>) => Sealer;
  readonly merger: (options?: Partial<MergerOptions>) => Merger;
  readonly eraser: (options?: Partial<EraserOptions>) => Eraser;
  /** Another store over the same journal. */
  readonly openStore: (options?: Partial<EmbeddedStoreOptions>) => Promise<EmbeddedStore>;
}

export async function openLab(options: Partial<EmbeddedStoreOptions> = {}): Promise<Lab> {
  const folder = temporaryFolder();
  const journal = Journal.open({ folder });
  onTestFinished(() => journal.close());
  const builder = await openBuilder(journal, folder);
  onTestFinished(() => builder.close());
  let siteCount = 0;
  const lab = {
    folder,
    journal,
    builder,
    addSite: (timezone = 'UTC') =>
      journal.sites.create({ domain: `site-${++siteCount}.example.org`, timezone, nowMs: 0 }),
    sealer: (more: Partial<SealerOptions> = {}) => new Sealer({ journal, builder, ...more }),
    merger: (more: Partial<MergerOptions> = {}) => new Merger({ journal, builder, ...more }),
    eraser: (more: Partial<EraserOptions> = {}) => new Eraser({ journal, builder, ...more }),
    openStore: async (more: Partial<EmbeddedStoreOptions> = {}) => {
      const store = await openStoreOver(journal, folder, more);
      onTestFinished(() => store.close());
      return store;
    },
  };
  return { ...lab, store: await lab.openStore(options) };
}

export function openStoreOver(
  journal: Journal,
  folder: string,
  options: Partial<EmbeddedStoreOptions> = {},
): Promise<EmbeddedStore> {
  return EmbeddedStore.open({
    tail: {
      head: () => journal.tail.head(),
      packEvents: (afterId, rowsMax) => journal.tail.packEvents(afterId, rowsMax),
      packVisits: (afterChange, rowsMax) => journal.tail.packVisits(afterChange, rowsMax),
      snapshot: (body) => journal.snapshot(body),
      archive: journal.archive,
    },
    cacheFolder: join(folder, 'cache'),
    limits: { memoryBytes: 128 * MIB, threads: 1 },
    ...options,
  });
}

const ALL_ROWS = {
  sql: `SELECT
      (SELECT string_agg(id || ':' || site_id || ':' || start_ms || ':' || pageviews, ' ' ORDER BY id) FROM visit),
      (SELECT string_agg(id || ':' || visit_id || ':' || page || ':' || properties['plan'], ' ' ORDER BY id) FROM event)`,
  parameters: [],
};

/** All visits and all events, each as one text. */
export async function allRows(store: EmbeddedStore): Promise<readonly unknown[]> {
  return (await store.query(ALL_ROWS)).rows[0] ?? [];
}

/** Seals until nothing is finished; how many parts that made. */
export async function sealAll(sealer: Sealer, nowMs: number): Promise<number> {
  let parts = 0;
  while ((await sealer.sealNext(nowMs)) !== undefined) parts += 1;
  return parts;
}

/** A visit with one page view after another, a minute apart, stored in one transaction; its id. */
export function storeVisit(
  journal: Journal,
  visit: Partial<NewVisit> & Pick<NewVisit, 'site_id' | 'visitor' | 'start_ms'>,
  pages: readonly string[] = ['/'],
): number {
  return journal.transaction(() => {
    const last = visit.start_ms + (pages.length - 1) * MINUTE_MS;
    const id = journal.tail.insertVisit({
      ...plainVisit(pages),
      last_ms: last,
      entry_ms: visit.start_ms,
      exit_ms: last,
      ...visit,
    });
    for (const [index, page] of pages.entries()) {
      journal.tail.insertEvent({
        ...plainEvent(page),
        site_id: visit.site_id,
        visit_id: id,
        visitor: visit.visitor,
        time_ms: visit.start_ms + index * MINUTE_MS,
      });
    }
    return id;
  });
}

function plainVisit(pages: readonly string[]): Omit<NewVisit, 'site_id' | 'visitor' | 'start_ms'> {
  return {
    last_ms: 0,
    pageviews: pages.length,
    events: pages.length,
    bounce: pages.length < 2 ? 1 : 0,
    entry_hostname: 'example.org',
    entry_page: pages[0] ?? null,
    entry_ms: 0,
    exit_hostname: 'example.org',
    exit_page: pages.at(-1) ?? null,
    exit_ms: 0,
    source: null,
    referrer: null,
    channel: 'Direct',
    utm_medium: null,
    utm_source: null,
    utm_campaign: null,
    utm_content: null,
    utm_term: null,
    click_id: null,
    country: 'DE',
    region: null,
    region_name: null,
    city: null,
    city_name: null,
    browser: 'Firefox',
    browser_version: null,
    os: null,
    os_version: null,
    device: 'Desktop',
    screen: null,
    language: null,
  };
}

function plainEvent(page: string): Omit<NewEvent, 'site_id' | 'visit_id' | 'visitor' | 'time_ms'> {
  return {
    name: 'pageview',
    hostname: 'example.org',
    page,
    properties: '{"plan":"pro"}',
    revenue_milli: null,
    revenue_currency: null,
    interactive: 1,
    scroll_depth: null,
    engaged_ms: null,
  };
}
