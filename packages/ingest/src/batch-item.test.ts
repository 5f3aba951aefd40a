import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseBatchItem } from './batch-item.ts';

const NOW_MS = Date.UTC(2026, 5, 1, 12);
const MINIMAL = { n: 'pageview', u: 'https://example.org/', d: 'example.org' };

function timeOf(timestamp: unknown): number | null {
  const parsed = parseBatchItem({ ...MINIMAL, timestamp }, NOW_MS);
  return parsed.ok ? parsed.item.timeMs : null;
}

describe('parseBatchItem', () => {
  it('reads time, address, user agent and id', () => {
    const fields = { timestamp: NOW_MS - 1000, ip: '::ffff:203.0.113.9', user_agent: 'x', id: 'a' };
    expect(parseBatchItem({ ...MINIMAL, ...fields }, NOW_MS)).toMatchObject({
      ok: true,
      item: { timeMs: NOW_MS - 1000, address: '203.0.113.9', userAgent: 'x', id: 'a' },
    });
  });

  it('what is absent is null, and the time is now', () => {
    expect(parseBatchItem(MINIMAL, NOW_MS)).toMatchObject({
      ok: true,
      item: { timeMs: NOW_MS, address: null, userAgent: null, id: null },
    });
  });

  it.each([
    ['2026-05-31T10:00:00Z', '2026-05-31T10:00:00.000Z'],
    ['2026-05-31T10:00:00.25+02:00', '2026-05-31T08:00:00.250Z'],
    ['2026-05-31T10:00:00-0330', '2026-05-31T13:30:00.000Z'],
    ['2026-05-31T10:00:00+02', '2026-05-31T08:00:00.000Z'],
    ['2026-05-31T10:00:00', '2026-05-31T10:00:00.000Z'],
    ['2026-05-31 10:00', '2026-05-31T10:00:00.000Z'],
    ['2026-05-31 10:00:00 Z', '2026-05-31T10:00:00.000Z'],
    ['2026-05-31', '2026-05-31T00:00:00.000Z'],
    ['1780000000000', '2026-05-28T20:26:40.000Z'],
    [1_780_000_000_000.7, '2026-05-28T20:26:40.000Z'],
  ])('%s is the instant %s', (timestamp, instant) => {
    expect(timeOf(timestamp)).toBe(Date.parse(instant));
  });

  it.each(['yesterday', '2026-13-01', '2026-05-31T25:00:00Z', true, {}, 'Z', 1_780_000_000])(
    'the timestamp %s is refused',
    (timestamp) => {
      expect(timeOf(timestamp)).toBeNull();
    },
  );

  it('times reach from the year 2000 to five minutes ahead', () => {
    expect(timeOf(Date.UTC(2000, 0, 1))).toBe(Date.UTC(2000, 0, 1));
    expect(timeOf(Date.UTC(2000, 0, 1) - 1)).toBeNull();
    expect(timeOf(NOW_MS + 300_000)).toBe(NOW_MS + 300_000);
    expect(timeOf(NOW_MS + 300_001)).toBeNull();
  });

  it('all faults of an item are told together', () => {
    const bad = { n: '', u: 5, d: 'example.org', timestamp: 'x', ip: 'x', user_agent: 5 };
    const parsed = parseBatchItem({ ...bad, id: 'i'.repeat(201) }, NOW_MS);
    expect(parsed.ok ? [] : parsed.errors).toHaveLength(6);
  });

  it('an id may have 200 characters and be an integer', () => {
    for (const [id, expected] of [
      ['i'.repeat(200), 'i'.repeat(200)],
      [17, '17'],
      ['', null],
    ])
      expect(parseBatchItem({ ...MINIMAL, id }, NOW_MS)).toMatchObject({ item: { id: expected } });
  });

  it('never throws', () => {
    const values = fc.oneof(fc.anything(), fc.jsonValue(), fc.ipV6(), fc.date().map(String));
    const keys = fc.constantFrom('timestamp', 'ip', 'user_agent', 'id', 'n');
    fc.assert(
      fc.property(fc.oneof(fc.anything(), fc.dictionary(keys, values)), (value) => {
        const body: unknown =
          typeof value === 'object' && value !== null ? { ...MINIMAL, ...value } : value;
        const parsed = parseBatchItem(body, NOW_MS);
        expect(
          parsed.ok ? Number.isSafeInteger(parsed.item.timeMs) : parsed.errors[0],
        ).toBeTruthy();
      }),
    );
  });
});
