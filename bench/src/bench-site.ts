import { DEFAULT_SITE_SETTINGS, type Site } from '@loggia/contract';
import { Journal } from '@loggia/journal';
import { BENCH_DOMAIN } from './load/sample-events.ts';

/** The site for workloads without a journal of their own, as `addBenchSite` makes it. */
export const BENCH_SITE: Site = {
  id: 1,
  domain: BENCH_DOMAIN,
  timezone: 'UTC',
  createdMs: 0,
  zoneSinceMs: 0,
  scriptId: 'benchbenchbench1',
  settings: DEFAULT_SITE_SETTINGS,
};

/** Makes the site of the workloads in `dataDir`, and a key that may do all they need. */
export function addBenchSite(dataDir: string): { readonly key: string } {
  using journal = Journal.open({ folder: dataDir });
  const nowMs = Date.now();
  journal.sites.create({ domain: BENCH_DOMAIN, timezone: 'UTC', nowMs });
  return journal.keys.create({ name: 'bench', scopes: ['stats:read', 'events:write'], nowMs });
}
