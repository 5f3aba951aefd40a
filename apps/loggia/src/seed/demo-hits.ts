import type { Hit } from '@loggia/contract';
import { ZoneRules, addToDate, type LocalDate } from '@tandem/base';
import { demoCalendar, momentOfDay, type DemoDay } from './demo-calendar.ts';
import { DEMO_ORIGINS, DIRECT, SPIKE, type DemoOrigin } from './demo-origins.ts';
import { demoPerson, type DemoPerson } from './demo-person.ts';
import { demoVisit } from './demo-visit.ts';
import { Prng } from './prng.ts';
import { WeightedChoice } from './weighted-choice.ts';

/** A site to be filled. */
export interface DemoSite {
  readonly siteId: number;
  readonly domain: string;
  readonly timezone: string;
  /** Its part of all hits, relative to the other sites' parts. */
  readonly share: number;
}

/** What demo data to make. The same options make the same data. */
export interface DemoOptions {
  readonly sites: readonly DemoSite[];
  /** The first of the days, as each site's own date. */
  readonly firstDate: LocalDate;
  readonly days: number;
  /** About how many hits, pings included. */
  readonly hitsTarget: number;
  readonly seed: number;
  /** Nothing happens at or after this instant. */
  readonly endMs: number;
}

/** The most hits of one batch. */
export const DEMO_BATCH_MAX = 2000;

/** The mean of what `demoVisit` makes; a test holds it to that. */
const HITS_PER_VISIT = 4.86;
const RETURN_PROBABILITY = 0.14;
const VISIT_GAP_MS = 31 * 60_000;

/** Made-up hits of all sites in batches, in the order of time throughout. */
export function* demoHits(options: DemoOptions): Generator<Hit[]> {
  const makers = options.sites.map((site) => new SiteDays(site, options));
  let waiting: Hit[] = [];
  for (let index = 0; index < options.days; index++) {
    const nextDate = addToDate(options.firstDate, { days: index + 1 });
    const settledMs = Math.min(...makers.map((maker) => maker.startOf(nextDate)));
    for (const maker of makers) waiting = waiting.concat(maker.hitsOfDay(index));
    waiting.sort((left, right) => left.timeMs - right.timeMs);
    const settledCount = countBefore(waiting, Math.min(settledMs, options.endMs));
    yield* batchesOf(waiting.slice(0, settledCount));
    waiting = waiting.slice(settledCount);
    if (settledMs >= options.endMs) return;
  }
  yield* batchesOf(waiting.slice(0, countBefore(waiting, options.endMs)));
}

function countBefore(hits: readonly Hit[], timeMs: number): number {
  const index = hits.findIndex((hit) => hit.timeMs >= timeMs);
  return index === -1 ? hits.length : index;
}

function* batchesOf(hits: readonly Hit[]): Generator<Hit[]> {
  for (let start = 0; start < hits.length; start += DEMO_BATCH_MAX) {
    yield hits.slice(start, start + DEMO_BATCH_MAX);
  }
}

/** The days of one site. */
class SiteDays {
  readonly #site: DemoSite;
  readonly #seed: number;
  readonly #zone: ZoneRules;
  readonly #calendar: readonly DemoDay[];
  readonly #origins = new Map<number, WeightedChoice<DemoOrigin>>();

  constructor(site: DemoSite, options: DemoOptions) {
    const sharesTotal = options.sites.reduce((sum, { share }) => sum + share, 0);
    const visitsTotal = (options.hitsTarget * site.share) / sharesTotal / HITS_PER_VISIT;
    const prng = new Prng(`${options.seed} ${site.domain} calendar`);
    this.#site = site;
    this.#seed = options.seed;
    this.#zone = ZoneRules.of(site.timezone);
    this.#calendar = demoCalendar(options, visitsTotal, prng);
  }

  startOf(date: LocalDate): number {
    return this.#zone.startOfDate(date);
  }

  /** The hits of all visits that begin on the day; those of the last may lie on the next one. */
  hitsOfDay(index: number): Hit[] {
    const day = this.#calendar[index];
    if (day === undefined) return [];
    const prng = new Prng(`${this.#seed} ${this.#site.domain} ${day.date}`);
    const startMs = this.startOf(day.date);
    const lengthMs = this.startOf(addToDate(day.date, { days: 1 })) - startMs;
    const moments = Array.from({ length: day.visitCount }, () => momentOfDay(prng))
      .filter((momentMs) => momentMs < lengthMs)
      .sort((left, right) => left - right);
    const people: DemoPerson[] = [];
    const visitors = new Set<bigint>();
    return moments.flatMap((momentMs) => {
      const visitMs = startMs + momentMs;
      const known = returning(people, visitMs, prng);
      const person = known ?? newcomer(visitors, visitMs, prng);
      if (known === undefined) people.push(person);
      const origin = this.#originOf(day, known !== undefined, prng);
      const { siteId, domain } = this.#site;
      const hits = demoVisit({ siteId, hostname: domain, startMs: visitMs, person, origin }, prng);
      person.seenMs = hits.at(-1)?.timeMs ?? visitMs;
      return hits;
    });
  }

  #originOf(day: DemoDay, isKnown: boolean, prng: Prng): DemoOrigin {
    if (isKnown && prng.chance(0.7)) return DIRECT;
    if (prng.chance(day.spikeShare)) return SPIKE;
    return this.#originsIn(Number(day.date.slice(5, 7))).pick(prng);
  }

  #originsIn(month: number): WeightedChoice<DemoOrigin> {
    const known = this.#origins.get(month);
    if (known !== undefined) return known;
    const origins = DEMO_ORIGINS.filter(({ months }) => months === null || months.includes(month));
    const choice = new WeightedChoice(origins, (origin) => origin.weight);
    this.#origins.set(month, choice);
    return choice;
  }
}

/** Somebody of the same day whose last visit is over, now and then. */
function returning(
  people: readonly DemoPerson[],
  timeMs: number,
  prng: Prng,
): DemoPerson | undefined {
  if (people.length === 0 || !prng.chance(RETURN_PROBABILITY)) return undefined;
  const person = people[prng.whole(0, people.length - 1)];
  return person !== undefined && person.seenMs + VISIT_GAP_MS < timeMs ? person : undefined;
}

function newcomer(visitors: Set<bigint>, timeMs: number, prng: Prng): DemoPerson {
  let visitor = prng.int64();
  while (visitors.has(visitor)) visitor = prng.int64();
  visitors.add(visitor);
  return demoPerson(visitor, timeMs, prng);
}
