import { Prng } from '../prng.ts';

/** The site that all events are for. */
export const BENCH_DOMAIN = 'bench.example';

/** An event with what its request says of the sender. */
export interface SampleEvent {
  /** In the form that trackers send. */
  readonly body: Readonly<Record<string, unknown>>;
  readonly address: string;
  readonly userAgent: string;
  readonly language: string;
}

interface Person {
  readonly address: string;
  readonly userAgent: string;
  readonly language: string;
  readonly referrer: string | null;
  readonly campaign: string;
}

/** People who are on the site at the same time. */
const PRESENT_COUNT = 300;
const ARRIVAL_PROBABILITY = 0.3;
const CUSTOM_EVENT_PROBABILITY = 0.1;
const CAMPAIGN_PROBABILITY = 0.15;
const PAGE_COUNT = 500;
/** First numbers of networks that are in use, so that looking up a country finds one. */
const NETWORKS = [31, 46, 62, 77, 80, 84, 91, 93, 109, 151, 176, 188, 193, 212, 24, 68, 73, 98];
const LANGUAGES = ['en-GB,en;q=0.9', 'de-DE,de;q=0.9,en;q=0.8', 'fr-FR,fr;q=0.9', 'en-US'];
const REFERRERS = [
  null,
  'https://www.google.com/',
  'https://duckduckgo.com/',
  'https://news.ycombinator.com/item?id=1',
  'https://www.bing.com/',
  'https://blog.example.net/a-post',
];
const CAMPAIGNS = [
  '?utm_source=newsletter&utm_medium=email&utm_campaign=spring',
  '?utm_source=google&utm_medium=cpc&utm_campaign=brand&utm_term=analytics',
  '?ref=partner',
];
const PAGES = Array.from({ length: PAGE_COUNT }, (_, index) =>
  index === 0 ? '/' : `/section-${index % 20}/page-${index}`,
);
const USER_AGENTS = [130, 131, 132, 133].flatMap((version) => [
  `Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/${version}.0.0.0 Safari/537.36`,
  `Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/${version}.0.0.0 Mobile Safari/537.36`,
  `Mozilla/5.0 (iPhone; CPU iPhone OS 18_${version % 10} like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.${version % 10} Mobile/15E148 Safari/604.1`,
  `Mozilla/5.0 (X11; Linux x86_64; rv:${version}.0) Gecko/20100101 Firefox/${version}.0`,
  `Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/${version}.0.0.0 Safari/537.36 Edg/${version}.0.0.0`,
]);

/**
 * Events without end: page views and some custom events of people who come, look at about three
 * pages and go. The same seed gives the same events.
 */
export class SampleEvents {
  readonly #prng: Prng;
  readonly #present: Person[] = [];
  #peopleCount = 0;

  constructor(seed: number) {
    this.#prng = new Prng(seed);
  }

  next(): SampleEvent {
    const prng = this.#prng;
    const { address, userAgent, language, referrer, campaign } = this.#somebody();
    const url = `https://${BENCH_DOMAIN}${prng.skewed(PAGES)}${campaign}`;
    const isCustom = prng.chance(CUSTOM_EVENT_PROBABILITY);
    const body = {
      n: isCustom ? 'Signup' : 'pageview',
      u: url,
      d: BENCH_DOMAIN,
      r: referrer,
      ...(isCustom ? { p: { plan: prng.pick(['free', 'team']) } } : {}),
    };
    return { body, address, userAgent, language };
  }

  /** Somebody who is there, or has just come in the place of somebody. */
  #somebody(): Person {
    const slot = this.#prng.below(PRESENT_COUNT);
    const present = this.#present[slot];
    if (present !== undefined && !this.#prng.chance(ARRIVAL_PROBABILITY)) return present;
    const person = this.#newcomer();
    this.#present[slot] = person;
    return person;
  }

  #newcomer(): Person {
    const prng = this.#prng;
    return {
      address: addressOf(this.#peopleCount++),
      userAgent: prng.skewed(USER_AGENTS),
      language: prng.skewed(LANGUAGES),
      referrer: prng.skewed(REFERRERS),
      campaign: prng.chance(CAMPAIGN_PROBABILITY) ? prng.pick(CAMPAIGNS) : '',
    };
  }
}

/** A public address, another one for each of the first 16 million numbers in each network. */
function addressOf(person: number): string {
  const network = NETWORKS[person % NETWORKS.length] ?? 31;
  // An odd factor permutes the numbers below a power of two.
  const host = Math.imul(Math.floor(person / NETWORKS.length), 0x9e_3779) & 0xff_ffff;
  return `${network}.${host >>> 16}.${(host >>> 8) & 255}.${host & 255}`;
}
