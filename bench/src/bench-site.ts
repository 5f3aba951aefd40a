import { Journal } from '@loggia/journal';
import { BENCH_DOMAIN } from './load/sample-events.ts';

/** Makes the site of the workloads in `dataDir`, and a key that may do all they need. */
export function addBenchSite(dataDir: string): { readonly key: string } {
  using journal = Journal.open({ folder: dataDir });
  const nowMs = Date.now();
  journal.sites.create({ domain: BENCH_DOMAIN, timezone: 'UTC', nowMs });
  return journal.keys.create({ name: 'bench', scopes: ['stats:read', 'events:write'], nowMs });
}
