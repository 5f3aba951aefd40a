import { Enricher, batchFacts, parseEvent } from '@loggia/ingest';
import { describe, expect, it } from 'vitest';
import { BENCH_SITE } from '../bench-site.ts';
import { MemorySalts } from '../memory-salts.ts';
import { eventRequest } from './event-request.ts';
import { BATCH_FIRST_MS, BATCH_ITEMS, batchBody } from './batch-body.ts';
import { SampleEvents, type SampleEvent } from './sample-events.ts';

function take(count: number, seed: number): SampleEvent[] {
  const events = new SampleEvents(seed);
  return Array.from({ length: count }, () => events.next());
}

describe('sample events', () => {
  it('are the same for the same seed only', () => {
    expect(take(200, 1)).toEqual(take(200, 1));
    expect(take(200, 1)).not.toEqual(take(200, 2));
  });

  it('are events that the site takes', () => {
    const enricher = new Enricher({ salts: new MemorySalts() });
    for (const { body, address, userAgent } of take(2000, 3)) {
      const parsed = parseEvent(body);
      if (!parsed.ok) throw new Error(parsed.errors.join(' '));
      const facts = batchFacts({ address, userAgent, timeMs: 0, id: null }, 0);
      const hit = enricher.enrich(parsed.event, BENCH_SITE, facts);
      expect(hit).toMatchObject({ siteId: BENCH_SITE.id, name: body['n'] });
    }
  });

  it('come from people of different addresses, who look at some three pages', () => {
    const events = take(100_000, 4);
    const people = new Set(events.map(({ address }) => address));
    const peopleOfAllTraits = new Set(
      events.map(({ address, userAgent, language }) => `${address} ${userAgent} ${language}`),
    );
    expect(peopleOfAllTraits.size).toBe(people.size);
    expect(events.length / people.size).toBeCloseTo(3.3, 0);
  });
});

it('a request tells the length of its body', () => {
  for (const event of take(50, 5)) {
    const [head = '', body = ''] = eventRequest(event).toString().split('\r\n\r\n');
    expect(head).toContain(`Content-Length: ${Buffer.byteLength(body)}`);
    expect(JSON.parse(body)).toEqual(event.body);
  }
});

it('batches go on where the one before ended', () => {
  const events = new SampleEvents(6);
  const [first, second] = [0, 1].map(
    (index) => JSON.parse(batchBody(events, index, true)) as { timestamp: number; id: string }[],
  );
  expect(first).toHaveLength(BATCH_ITEMS);
  expect(first?.[0]?.timestamp).toBe(BATCH_FIRST_MS);
  const times = [...(first ?? []), ...(second ?? [])].map(({ timestamp }) => timestamp);
  expect(times.every((time, index) => index === 0 || time > (times[index - 1] ?? 0))).toBe(true);
  expect(new Set([...(first ?? []), ...(second ?? [])].map(({ id }) => id)).size).toBe(20_000);
});
