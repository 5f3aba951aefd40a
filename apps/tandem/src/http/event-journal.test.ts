import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { EventJournal, ndjsonOf, sseOf, type ApiEvent } from './event-journal.ts';

const EVENT = { type: 'ready', data: {} } as const;

/** What a reader with this cursor gets until the end or a loss. */
function readFrom(journal: EventJournal, cursor: number): string[] {
  const ids: string[] = [];
  for (let at = cursor; ; at += 1) {
    const event = journal.after(at);
    if (event === 'none') return ids;
    if (event === 'lost') return [...ids, 'lost'];
    ids.push(event.id);
  }
}

describe('a journal of events', () => {
  it('gives a reader who resumes exactly what came after, or tells of a gap', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 5 }),
        fc.nat(20),
        fc.nat(25),
        (eventsMax, addedCount, number) => {
          const journal = new EventJournal('a1', eventsMax);
          for (let count = 0; count < addedCount; count += 1) journal.add(EVENT);
          const resumption = journal.resume(`a1-${number}`);
          const isKept = number <= addedCount && number >= addedCount - eventsMax;
          expect(resumption).toEqual(
            isKept ? { kind: 'resumed', cursor: number } : { kind: 'gap', cursor: addedCount },
          );
          const expected = Array.from(
            { length: addedCount - resumption.cursor },
            (_, index) => `a1-${resumption.cursor + index + 1}`,
          );
          expect(readFrom(journal, resumption.cursor)).toEqual(expected);
        },
      ),
    );
  });

  it('tells a reader whose events are gone', () => {
    const journal = new EventJournal('a1', 2);
    for (let count = 0; count < 4; count += 1) journal.add(EVENT);
    expect(journal.after(1)).toBe('lost');
    expect(readFrom(journal, 2)).toEqual(['a1-3', 'a1-4']);
  });

  it('does not know the ids of another start, or what is no id', () => {
    const journal = new EventJournal('a1', 2);
    journal.add(EVENT);
    for (const id of ['b2-1', 'a1-2', 'a1', 'a1--1', 'a1-1.0', 'a1-1 ', '']) {
      expect([id, journal.resume(id).kind]).toEqual([id, 'gap']);
    }
    expect(journal.resume('a1-1').kind).toBe('resumed');
  });
});

describe('an event', () => {
  const event: ApiEvent = { type: 'tx', id: 'a1-1', db: 'a\nb', data: { txID: '01' } };

  it('is one line, whatever is in it', () => {
    expect(ndjsonOf(event)).toBe(
      String.raw`{"type":"tx","id":"a1-1","db":"a\nb","data":{"txID":"01"}}` + '\n',
    );
  });

  it('is a message with a name and an id for browsers', () => {
    expect(sseOf(event)).toBe(`event: tx\nid: a1-1\ndata: ${ndjsonOf(event)}\n`);
  });
});
