import type { Site } from '@loggia/contract';
import { TailWriter } from '@loggia/ingest';
import type { Journal } from '@loggia/journal';
import { addToDate, type LocalDate } from '@tandem/base';
import { CommandError } from '../cli/command-error.ts';
import { demoHits, type DemoSite } from './demo-hits.ts';
import { DEMO_PROPERTIES, demoGoals, type DemoSitePlan } from './demo-sites.ts';

/** What demo data to write. */
export interface DemoRequest {
  readonly sites: readonly DemoSitePlan[];
  readonly hitsTarget: number;
  readonly days: number;
  /** The last day. */
  readonly until: LocalDate;
  readonly seed: number;
  readonly nowMs: number;
}

/** What was written for one site. */
export interface DemoResult {
  readonly domain: string;
  readonly hitCount: number;
}

const PURGE_ROWS = 20_000;

/**
 * Makes the demo sites, fills them and gives them goals. Demo sites that an earlier call left half
 * full are made anew; a site with data of its own is never touched.
 *
 * @param onProgress gets the number of hits written so far, after each batch.
 * @throws CommandError `not_demo` or `exists` before anything is changed; JournalError.
 */
export function writeDemo(
  journal: Journal,
  request: DemoRequest,
  onProgress: (hitCount: number) => void,
): readonly DemoResult[] {
  for (const plan of request.sites) refuseOtherData(journal, plan.domain);
  const sites = request.sites.map((plan) => prepareSite(journal, plan, request.nowMs));
  const counts = fill(journal, sites, { request, onProgress });
  journal.transaction(() => {
    for (const { siteId } of sites) {
      for (const goal of demoGoals(siteId)) journal.goals.create(goal);
      journal.settings.set(markOf(siteId), 'done');
    }
  });
  return sites.map((site) => ({ domain: site.domain, hitCount: counts.get(site.siteId) ?? 0 }));
}

function fill(
  journal: Journal,
  sites: readonly DemoSite[],
  { request, onProgress }: { request: DemoRequest; onProgress: (hitCount: number) => void },
): ReadonlyMap<number, number> {
  const writer = new TailWriter(journal);
  const counts = new Map<number, number>();
  let total = 0;
  const batches = demoHits({
    sites,
    firstDate: addToDate(request.until, { days: 1 - request.days }),
    days: request.days,
    hitsTarget: request.hitsTarget,
    seed: request.seed,
    endMs: request.nowMs,
  });
  for (const hits of batches) {
    writer.write(hits, request.nowMs);
    for (const { siteId } of hits) counts.set(siteId, (counts.get(siteId) ?? 0) + 1);
    total += hits.length;
    onProgress(total);
  }
  return counts;
}

/** The setting that says that a site's data is made up: `filling` or `done`. */
function markOf(siteId: number): string {
  return `demo_site_${siteId}`;
}

function refuseOtherData(journal: Journal, domain: string): void {
  const site = journal.sites.byDomain(domain);
  if (site === undefined) return;
  const mark = journal.settings.get(markOf(site.id));
  if (mark === 'done') {
    throw new CommandError('exists', `${domain} has demo data already.`, {
      hint: `'loggia site remove ${domain} --yes' makes room for new data.`,
    });
  }
  if (mark === undefined && journal.firstEventMs(site.id) !== undefined) {
    throw new CommandError('not_demo', `${domain} has visitors of its own.`, {
      hint: 'Name another site with --domain; demo data never mixes with real data.',
    });
  }
}

function prepareSite(journal: Journal, plan: DemoSitePlan, nowMs: number): DemoSite {
  const left = journal.sites.byDomain(plan.domain);
  if (left !== undefined && journal.settings.get(markOf(left.id)) === 'filling') {
    journal.sites.remove(left.id, nowMs);
    while (journal.sites.purgeStep(PURGE_ROWS) > 0);
  }
  return journal.transaction(() => {
    const site = journal.sites.byDomain(plan.domain) ?? createSite(journal, plan, nowMs);
    journal.settings.set(markOf(site.id), 'filling');
    const { domain, timezone } = site;
    return { siteId: site.id, domain, timezone, share: plan.share };
  });
}

function createSite(journal: Journal, plan: DemoSitePlan, nowMs: number): Site {
  return journal.sites.create({
    domain: plan.domain,
    timezone: plan.timezone,
    settings: { customProperties: [...DEMO_PROPERTIES] },
    nowMs,
  });
}
