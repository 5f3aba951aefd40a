import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { Journal } from '@loggia/journal';
import { DASHBOARD_RANGES, DASHBOARD_REPORTS } from '../archive/dashboard.ts';
import { makeYear } from '../archive/make-year.ts';
import { YEAR_DAYS } from '../archive/year-rows.ts';
import type { MemoryUse } from '../processes/process-usage.ts';
import { ServerProcess } from '../processes/server-process.ts';
import { defineWorkload, type Measurement } from '../workload.ts';

const SETTLE_MS = 3000;
const MIB = 2 ** 20;

/** The server over a sealed year: until it is ready, and what it holds in memory. */
export const archiveStart = defineWorkload({
  name: 'archive-start',
  summary: 'starting over a sealed year, and memory idle and after its reports',
  setUp: async (context) => {
    const events = context.archiveEvents ?? (context.quick ? 50_000 : 1_000_000);
    const dataDir = context.work.make('sealed');
    await makeYear(dataDir, { events, sites: 40, days: YEAR_DAYS, paths: 5000 }, context.note);
    using journal = Journal.open({ folder: dataDir });
    const made = journal.keys.create({ name: 'bench', scopes: ['stats:read'], nowMs: Date.now() });
    return { context, dataDir, key: made.key, events };
  },
  measure: async ({ context, dataDir, key, events }) => {
    const measurements: Measurement[] = [];
    const add = (measure: string, value: number, unit: 'ms' | 'MiB'): void =>
      void measurements.push({ measure, value, unit, parameters: { events } });
    const addMemory = (state: string, use: MemoryUse | undefined): void => {
      if (use === undefined) return;
      add(`resident, ${state}`, use.rssBytes / MIB, 'MiB');
      add(`anonymous, ${state}`, use.anonymousBytes / MIB, 'MiB');
    };
    rmSync(join(dataDir, 'cache'), { recursive: true, force: true });
    for (const cache of ['an empty cache', 'a full cache']) {
      await using server = await ServerProcess.start(context, dataDir);
      add(`ready with ${cache}`, await server.untilReady(), 'ms');
      await pause(SETTLE_MS);
      addMemory(`idle with ${cache}`, server.memory());
      const begunMs = performance.now();
      await askAll(server, key);
      add(`all reports, first time with ${cache}`, performance.now() - begunMs, 'ms');
      addMemory(`after reports with ${cache}`, server.memory());
    }
    return measurements;
  },
});

async function askAll(server: ServerProcess, key: string): Promise<void> {
  for (const { firstDay, endDay } of DASHBOARD_RANGES) {
    const dates = [firstDay, endDay - 1].map((day) =>
      new Date(day * 86_400_000).toISOString().slice(0, 10),
    );
    for (const { body } of DASHBOARD_REPORTS) {
      await server.query(key, { site_id: 'site-1.example', date_range: dates, ...body });
    }
  }
}
