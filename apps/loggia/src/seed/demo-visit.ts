import type { Hit, VisitAttributes } from '@loggia/contract';
import type { DemoOrigin } from './demo-origins.ts';
import { DEMO_PAGES, popularityOf, type DemoPage } from './demo-pages.ts';
import type { DemoPerson } from './demo-person.ts';
import type { Prng } from './prng.ts';
import { WeightedChoice } from './weighted-choice.ts';

/** What a visit is made from. */
export interface DemoVisitPlan {
  readonly siteId: number;
  readonly hostname: string;
  readonly startMs: number;
  readonly person: DemoPerson;
  readonly origin: DemoOrigin;
}

const PAGES_MAX = 14;
const GO_ON_PROBABILITY = 0.58;
const PING_PROBABILITY = 0.9;
const SIGNUP_PROBABILITY = 0.07;
const PURCHASE_PROBABILITY = 0.3;
const MISSING_PROBABILITY = 0.004;
const DWELL_MEDIAN_MS = 32_000;
/** Below the half hour that would part a visit in two. */
const DWELL_MS_MAX = 20 * 60_000;

const ANY_PAGE = new WeightedChoice(DEMO_PAGES, (_, rank) => popularityOf(rank));
const PAGES_OF_KIND = new Map(
  DEMO_PAGES.map(({ kind }) => {
    const pages = DEMO_PAGES.filter((page) => page.kind === kind);
    return [kind, new WeightedChoice(pages, (_, rank) => popularityOf(rank))];
  }),
);
const PLANS = [
  { plan: 'personal', priceMilli: 9_000, weight: 6 },
  { plan: 'team', priceMilli: 29_000, weight: 3 },
  { plan: 'company', priceMilli: 99_000, weight: 1 },
] as const;
const PLAN_CHOICE = new WeightedChoice(PLANS, (plan) => plan.weight);
const LINKS = [
  'https://github.com/example/loggia',
  'https://planet.example/',
  'https://sqlite.org/',
  'https://duckdb.org/',
];
const FILES = ['/files/handbook.pdf', '/files/loggia-linux-x64.tar.gz', '/files/press-kit.zip'];

/** The hits of one visit, in the order of time. */
export function demoVisit(plan: DemoVisitPlan, prng: Prng): Hit[] {
  const visit = new VisitUnderWay(plan, prng);
  const landing = landingPage(plan.origin, prng);
  visit.view(landing.path, landing);
  if (prng.chance(MISSING_PROBABILITY)) visit.miss();
  if (!prng.chance(plan.origin.bounceRate)) {
    for (let count = 1; count < PAGES_MAX; count++) {
      const next = ANY_PAGE.pick(prng);
      visit.view(next.path, next);
      if (!prng.chance(GO_ON_PROBABILITY)) break;
    }
    if (prng.chance(SIGNUP_PROBABILITY)) visit.signUp();
  }
  return visit.hits;
}

function landingPage(origin: DemoOrigin, prng: Prng): DemoPage {
  if (origin.landing === null) return ANY_PAGE.pick(prng);
  const kind = origin.landing[prng.whole(0, origin.landing.length - 1)] ?? 'home';
  return (PAGES_OF_KIND.get(kind) ?? ANY_PAGE).pick(prng);
}

class VisitUnderWay {
  readonly hits: Hit[] = [];
  readonly #plan: DemoVisitPlan;
  readonly #prng: Prng;
  readonly #attributes: VisitAttributes;
  #timeMs: number;
  #page = '/';

  constructor(plan: DemoVisitPlan, prng: Prng) {
    this.#plan = plan;
    this.#prng = prng;
    this.#attributes = { ...plan.origin.attributes, ...plan.person.attributes };
    this.#timeMs = Math.floor(plan.startMs);
  }

  /** A page view, what is done on the page, and the ping on leaving it. */
  view(path: string, page?: DemoPage): void {
    const prng = this.#prng;
    const dwellMs = this.#dwellMs();
    this.#page = path;
    const properties = typeof page?.author === 'string' ? { author: page.author } : {};
    this.#add('pageview', { properties });
    const doneMs = Math.floor(dwellMs * (0.3 + 0.5 * prng.float()));
    this.#timeMs += doneMs;
    if (page !== undefined) this.#act(page);
    this.#timeMs += dwellMs - doneMs;
    if (prng.chance(PING_PROBABILITY)) this.#ping(dwellMs);
    this.#timeMs += prng.whole(150, 1500);
  }

  /** A link that leads nowhere. */
  miss(): void {
    this.view('/blog/moved-away');
    this.#add('404', { properties: { path: this.#page } });
  }

  /** The way to an account and, for some, to a paid plan. */
  signUp(): void {
    const { plan, priceMilli } = PLAN_CHOICE.pick(this.#prng);
    const method = this.#prng.chance(0.6) ? 'email' : 'github';
    this.view('/pricing');
    this.view('/signup');
    this.#add('Signup', { properties: { plan, method } });
    this.view('/welcome');
    if (!this.#prng.chance(PURCHASE_PROBABILITY)) return;
    const isYear = this.#prng.chance(0.35);
    this.view('/checkout');
    this.#add('Purchase', {
      properties: { plan, period: isYear ? 'year' : 'month' },
      revenueMilli: isYear ? priceMilli * 10 : priceMilli,
    });
    this.view('/thanks');
  }

  #act(page: DemoPage): void {
    const prng = this.#prng;
    if (page.kind === 'home' && prng.chance(0.12)) {
      this.#add('Video: Play', { properties: { video: 'tour' }, interactive: false });
    }
    if (prng.chance(page.path === '/download' ? 0.45 : 0.008)) {
      const url = `https://${this.#plan.hostname}${FILES[prng.whole(0, FILES.length - 1)]}`;
      this.#add('File Download', { properties: { url } });
    }
    if (prng.chance(0.03)) {
      const url = LINKS[prng.whole(0, LINKS.length - 1)] ?? '';
      this.#add('Outbound Link: Click', { properties: { url } });
    }
  }

  #ping(dwellMs: number): void {
    const reading = this.#prng.float() ** 0.7;
    this.#add('engagement', {
      scrollDepth: Math.round(8 + 92 * reading),
      engagedMs: Math.floor(dwellMs * (0.45 + 0.55 * this.#prng.float())),
      interactive: false,
    });
  }

  #dwellMs(): number {
    const wantedMs = DWELL_MEDIAN_MS * Math.exp(0.95 * this.#prng.normal());
    return Math.floor(Math.min(Math.max(wantedMs, 1500), DWELL_MS_MAX));
  }

  #add(
    name: string,
    rest: {
      readonly properties?: Readonly<Record<string, string>>;
      readonly revenueMilli?: number;
      readonly interactive?: boolean;
      readonly scrollDepth?: number;
      readonly engagedMs?: number;
    },
  ): void {
    const { siteId, hostname, person } = this.#plan;
    const properties = rest.properties ?? {};
    this.hits.push({
      siteId,
      timeMs: this.#timeMs,
      visitor: person.visitor,
      visitorBefore: null,
      name,
      hostname,
      page: this.#page,
      properties: Object.keys(properties).length === 0 ? null : JSON.stringify(properties),
      revenueMilli: rest.revenueMilli ?? null,
      revenueCurrency: rest.revenueMilli === undefined ? null : 'EUR',
      interactive: rest.interactive ?? true,
      scrollDepth: rest.scrollDepth ?? null,
      engagedMs: rest.engagedMs ?? null,
      attributes: this.#attributes,
      dedupeId: null,
    });
  }
}
