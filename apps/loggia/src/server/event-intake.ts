import { ZoneRules } from '@tandem/base';
import type { DropReason, Hit, Site } from '@loggia/contract';
import type { EventBody, Refusal, RequestFacts } from '@loggia/ingest';
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

/** What follows on taking an event in; one of the two is called, once. */
export interface IntakeCalls {
  /** After the commit. */
  readonly done: (result: IntakeResult) => void;
  /** Nothing is stored. */
  readonly failed: (error: Error) => void;
}

/** Of nearly all events. */
const ALL_ACCEPTED: IntakeResult = { accepted: 1, dropped: [] };

/** From a parsed event to the journal: the site look-up, enrichment, limits and the commit. */
export class EventIntake {
  readonly #services: Services;

  constructor(services: Services) {
    this.#services = services;
  }

  /**
   * Stores `event` at every site it names, and calls back after the commit.
   *
   * @throws HttpError when a limit is hit, with nothing stored and nothing called.
   */
  accept(event: EventBody, request: RequestFacts, { done, failed }: IntakeCalls): void {
    const { queue, eventLimits } = this.#services;
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
    if (hits.length === 0) {
      done({ accepted: 0, dropped });
      return;
    }
    queue.enqueue(hits, {
      stored: (refusals) => {
        const result = this.#resultOf(hits.length, refusals, dropped);
        for (const { index, reason } of refusals) {
          const site = this.#services.sites.byId(hits[index]?.siteId ?? 0);
          this.countDrop(reason, site, request.nowMs);
        }
        done(result);
      },
      refused: failed,
    });
  }

  /** `dropped` are the reasons of the sites for which there was no hit. */
  #resultOf(
    hitCount: number,
    refusals: readonly Refusal[],
    dropped: readonly DropReason[],
  ): IntakeResult {
    const accepted = hitCount - refusals.length;
    this.#services.metrics.accepted(accepted);
    if (accepted === 1 && refusals.length === 0 && dropped.length === 0) return ALL_ACCEPTED;
    return { accepted, dropped: [...dropped, ...refusals.map(({ reason }) => reason)] };
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
