import fc from 'fast-check';
import type { Hit } from '@loggia/contract';
import { eventTable, type Details } from '../model/events.ts';
import { addDays, startOfDate } from '../model/local-time.ts';

/** A zone and a date in it on which something odd happens to the clock or the calendar. */
export interface OddDay {
  readonly zone: string;
  readonly date: string;
}

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

export const ODD_DAYS: readonly OddDay[] = [
  { zone: 'Europe/Berlin', date: '2026-03-29' },
  { zone: 'Europe/Berlin', date: '2026-10-25' },
  { zone: 'America/New_York', date: '2026-11-01' },
  { zone: 'America/Havana', date: '2026-03-08' },
  { zone: 'America/Havana', date: '2026-11-01' },
  { zone: 'America/Sao_Paulo', date: '2018-02-17' },
  { zone: 'America/Sao_Paulo', date: '2018-11-04' },
  { zone: 'Australia/Lord_Howe', date: '2026-04-05' },
  { zone: 'Asia/Kolkata', date: '2026-03-01' },
  { zone: 'Asia/Kathmandu', date: '2026-02-28' },
  { zone: 'Pacific/Auckland', date: '2026-12-31' },
  { zone: 'UTC', date: '2026-01-01' },
];

/** Values of which random events are made and after which random filters look. */
export const PAGES = ['/', '/a', '/b/c', '/B', '/b'];
export const HOSTS = ['example.org', 'docs.example.org'];
export const NAMES = ['Signup', 'Purchase', 'Beep'];
export const SOURCES = ['Google', 'bing', 'Ä'];
export const COUNTRIES = ['DE', 'FR'];
export const TERMS = ['Shoes', 'shoelace'];
export const PLANS = ['gold', 'Old'];

/** A hit before it is known where and when the site is. */
interface Draft {
  readonly person: string;
  /** Whole days after the odd day's start, then milliseconds. */
  readonly day: number;
  readonly offsetMs: number;
  /** How much later than it happened it arrives. */
  readonly delayMs: number;
  readonly kind: 'view' | 'event' | 'ping';
  readonly page: string;
  readonly name: string;
  readonly details: Details;
  readonly scroll: number | undefined;
  readonly engagedMs: number | undefined;
  readonly isSaltGone: boolean;
  /** Whether it begins a new transaction. */
  readonly isCommitted: boolean;
}

const optional = <T>(values: readonly T[]): fc.Arbitrary<T | undefined> =>
  fc.constantFrom(undefined, ...values);

/** Times that fall close together and onto the borders of half hours. */
const offset = fc.oneof(
  fc
    .tuple(fc.integer({ min: -3, max: 8 }), fc.constantFrom(-1000, -1, 0, 1, 500, 1000))
    .map(([halfHours, ms]) => halfHours * 30 * MINUTE_MS + ms),
  fc.integer({ min: -120, max: 240 }).map((minutes) => minutes * MINUTE_MS),
  fc.integer({ min: -2 * HOUR_MS, max: 26 * HOUR_MS }),
);

const details: fc.Arbitrary<Details> = fc
  .record({
    host: optional(HOSTS),
    source: optional(SOURCES),
    country: optional(COUNTRIES),
    utm_term: optional(TERMS),
    plan: optional(PLANS),
    revenue: optional([[10, 'EUR'] as const, [0.335, 'EUR'] as const, [7, 'USD'] as const]),
    interactive: fc.boolean(),
  })
  .map(({ plan, ...rest }) =>
    Object.fromEntries(
      Object.entries({ ...rest, props: plan === undefined ? undefined : { plan } }).filter(
        ([, value]) => value !== undefined,
      ),
    ),
  );

const draft: fc.Arbitrary<Draft> = fc.record({
  person: fc.constantFrom('anna', 'bert', 'cleo'),
  day: fc.constantFrom(0, 0, 0, 1, 1, -1, -7),
  offsetMs: offset,
  delayMs: fc.oneof(
    { weight: 4, arbitrary: fc.constant(0) },
    { weight: 1, arbitrary: fc.integer({ min: 0, max: 3 * HOUR_MS }) },
  ),
  kind: fc.constantFrom('view', 'view', 'view', 'event', 'ping'),
  page: fc.constantFrom(...PAGES),
  name: fc.constantFrom(...NAMES),
  details,
  scroll: fc.option(fc.integer({ min: 0, max: 100 }), { nil: undefined }),
  engagedMs: fc.option(fc.integer({ min: 0, max: 90_000 }), { nil: undefined }),
  isSaltGone: fc.integer({ min: 0, max: 19 }).map((n) => n === 19),
  isCommitted: fc.boolean(),
});

/** What a person who never leaves sends: a ping every 25 minutes for a day and more. */
const marathon: fc.Arbitrary<readonly Draft[]> = fc
  .tuple(draft, fc.integer({ min: 20, max: 130 }))
  .map(([first, count]) =>
    Array.from({ length: count }, (_, index) => ({
      ...first,
      kind: index % 20 === 0 ? ('view' as const) : ('ping' as const),
      offsetMs: first.offsetMs + index * 25 * MINUTE_MS,
      isCommitted: index % 10 === 0,
    })),
  );

/** Drafts of the hits of one site. */
export const drafts: fc.Arbitrary<readonly Draft[]> = fc
  .tuple(
    fc.array(draft, { maxLength: 40, size: 'max' }),
    fc.oneof({ weight: 7, arbitrary: fc.constant([]) }, { weight: 1, arbitrary: marathon }),
  )
  .map(([loose, chain]) => [...loose, ...chain]);

/**
 * The hits of a site in the transactions that bring them, in order of arrival. Within a transaction
 * they stand by their own times, as the writer would put them.
 */
export function transactionsOf(
  siteId: number,
  { zone, date }: OddDay,
  drafted: readonly Draft[],
): readonly (readonly Hit[])[] {
  const table = eventTable(siteId, zone, date);
  const timed = drafted.map((item) => {
    const timeMs = startOfDate(zone, addDays(date, item.day)) + item.offsetMs;
    return { ...item, timeMs };
  });
  timed.sort((a, b) => a.timeMs + a.delayMs - (b.timeMs + b.delayMs));
  const transactions: Hit[][] = [];
  for (const item of timed) {
    const time = new Date(item.timeMs).toISOString();
    const open = transactions.at(-1);
    const hit = hitOf(table, time, item);
    if (open === undefined || item.isCommitted) transactions.push([hit]);
    else open.push(hit);
  }
  return transactions.map((hits) => hits.toSorted((a, b) => a.timeMs - b.timeMs));
}

function hitOf(table: ReturnType<typeof eventTable>, time: string, item: Draft): Hit {
  const { person, page, name, details, scroll, engagedMs } = item;
  const before = item.isSaltGone ? { visitorBefore: null } : {};
  if (item.kind === 'view') return { ...table.view(person, time, page, details), ...before };
  if (item.kind === 'event') {
    return { ...table.event(person, time, name, { ...details, page }), ...before };
  }
  return {
    ...table.ping(person, time, page, {
      ...(details.host === undefined ? {} : { host: details.host }),
      ...(scroll === undefined ? {} : { scroll }),
      ...(engagedMs === undefined ? {} : { engagedMs }),
    }),
    ...before,
  };
}
