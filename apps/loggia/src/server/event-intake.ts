import { ZoneRules } from '@tandem/base';
import type { DropReason, Hit, Site } from '@loggia/contract';
import type { EventBody, RequestFacts } from '@loggia/ingest';
import type { Services } from './services.ts';

/** What became of the event at each site it was sent to. */
export interface IntakeResult {
  readonly accepted: number;
  /** One reason per site that did not take it. */
  readonly dropped: readonly DropReason[];
}

/** One event for one site, enriched or dropped. */
export type SiteEvent =
  | { readonly hit: Hit; readonly site: Site }
  | { readonly dropped: DropReason; readonly site: Site | undefined };

/** From a parsed event to the journal: the site look-up, enrichment, limits and the commit. */
export class EventIntake {
  readonly #services: Services;

  constructor(services: Services) {
    this.#services = services;
  }

  /**
   * Stores `event` at every site it names. Returns after the commit.
   *
   * @throws HttpError when a limit is hit or the journal cannot be written, with nothing stored.
   */
  async accept(event: EventBody, request: RequestFacts): Promise<IntakeResult> {
    const { queue, eventLimits, metrics } = this.#services;
    const hits: Hit[] = [];
    const dropped: DropReason[] = [];
    for (const each of this.enrich(event, request)) {
      if ('hit' in each) {
        eventLimits.takeSite(each.site.id, request.nowMs, 1);
        hits.push(each.hit);
      } else {
        this.countDrop(each.dropped, each.site, request.nowMs);
        dropped.push(each.dropped);
      }
    }
    if (hits.length === 0) return { accepted: 0, dropped };
    const outcomes = await queue.submit(hits);
    let accepted = 0;
    for (const [index, outcome] of outcomes.entries()) {
      if (outcome === null) {
        accepted += 1;
        continue;
      }
      this.countDrop(outcome, this.#services.sites.byId(hits[index]?.siteId ?? 0), request.nowMs);
      dropped.push(outcome);
    }
    metrics.accepted(accepted);
    return { accepted, dropped };
  }

  /** `event` for each site it names, once for each; sites that do not exist count as one. */
  enrich(event: EventBody, request: RequestFacts): SiteEvent[] {
    const { sites } = this.#services;
    const events: SiteEvent[] = [];
    for (const domain of event.domains) {
      const site = sites.byName(domain);
      if (!events.some((each) => each.site === site))
        events.push(this.#enrichFor(site, event, request));
    }
    return events;
  }

  #enrichFor(site: Site | undefined, event: EventBody, request: RequestFacts): SiteEvent {
    if (site === undefined) return { dropped: 'unknown_site', site };
    const enriched = this.#services.enricher.enrich(event, site, request);
    if ('dropped' in enriched) return { dropped: enriched.dropped, site };
    return { hit: enriched, site };
  }

  /** Counts a drop for the owner of `site` and for the metrics. */
  countDrop(reason: DropReason, site: Site | undefined, nowMs: number): void {
    this.#services.metrics.dropped(reason);
    const date = ZoneRules.of(site?.timezone ?? 'UTC').dateAt(nowMs);
    this.#services.queue.countDrop({ siteId: site?.id ?? null, date, reason });
  }
}
