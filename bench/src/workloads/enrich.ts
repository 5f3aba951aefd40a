import {
  DEFAULT_TRUST,
  Enricher,
  parseEvent,
  requestFacts,
  type EventBody,
  type RequestFacts,
} from '@loggia/ingest';
import { BENCH_SITE } from '../bench-site.ts';
import { MemorySalts } from '../memory-salts.ts';
import { SampleEvents, type SampleEvent } from '../load/sample-events.ts';
import { measurementOf } from '../spread.ts';
import { defineWorkload } from '../workload.ts';

/** An event with its request as the server meets it: a text and headers. */
interface Arrival {
  readonly text: string;
  readonly headers: Readonly<Record<string, string>>;
}

/** What the main thread does with an event beside HTTP, without HTTP and journal. */
export const enrich = defineWorkload({
  name: 'enrich',
  summary: 'processor time per event of reading and enriching alone, in one thread',
  setUp: ({ quick }) => {
    const events = new SampleEvents(1);
    const count = quick ? 5000 : 50_000;
    const arrivals = Array.from({ length: count }, () => arrivalOf(events.next()));
    return {
      arrivals,
      rounds: quick ? 3 : 9,
      enricher: new Enricher({ salts: new MemorySalts() }),
    };
  },
  measure: ({ arrivals, rounds, enricher }) => {
    const samples = { parse: [] as number[], facts: [] as number[], enrich: [] as number[] };
    // The first round fills caches and lets the compiler do its work.
    for (let round = 0; round <= rounds; round += 1) {
      const nowMs = Date.now();
      const [parsed, parseUs] = timePerItem(arrivals, ({ text }) => parsedEvent(text));
      const [facts, factsUs] = timePerItem(arrivals, ({ headers }) => factsOf(headers, nowMs));
      const pairs = parsed.map((event, index) => ({ event, request: facts[index] }));
      const [, enrichUs] = timePerItem(pairs, ({ event, request }) =>
        request === undefined ? undefined : enricher.enrich(event, BENCH_SITE, request),
      );
      if (round === 0) continue;
      samples.parse.push(parseUs);
      samples.facts.push(factsUs);
      samples.enrich.push(enrichUs);
    }
    const total = samples.parse.map(
      (parseUs, index) => parseUs + (samples.facts[index] ?? 0) + (samples.enrich[index] ?? 0),
    );
    return [
      measurementOf({ measure: 'read the body', unit: 'µs' }, samples.parse),
      measurementOf({ measure: 'read the headers', unit: 'µs' }, samples.facts),
      measurementOf({ measure: 'enrich', unit: 'µs' }, samples.enrich),
      measurementOf({ measure: 'all three', unit: 'µs' }, total),
    ];
  },
});

function arrivalOf({ body, address, userAgent, language }: SampleEvent): Arrival {
  return {
    text: JSON.stringify(body),
    headers: {
      'user-agent': userAgent,
      'accept-language': language,
      'x-forwarded-for': address,
    },
  };
}

function parsedEvent(text: string): EventBody {
  const parsed = parseEvent(JSON.parse(text));
  if (parsed.ok) return parsed.event;
  throw new Error(parsed.errors.join(' '));
}

function factsOf(headers: Readonly<Record<string, string>>, nowMs: number): RequestFacts {
  return requestFacts({ socketAddress: '127.0.0.1', headers, trust: DEFAULT_TRUST, nowMs });
}

/** What `work` makes of each item, and this thread's processor time for one in microseconds. */
function timePerItem<Item, Made>(
  items: readonly Item[],
  work: (item: Item) => Made,
): [readonly Made[], number] {
  const before = process.threadCpuUsage();
  const made = items.map(work);
  const { user, system } = process.threadCpuUsage(before);
  return [made, (user + system) / items.length];
}
