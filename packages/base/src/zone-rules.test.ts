import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ZoneRules, addToDate, isTimeZone } from './zone-rules.ts';

const ZONES = ['UTC', 'Europe/Berlin', 'America/New_York', 'Asia/Kolkata', 'Australia/Lord_Howe'];
const zone = fc.constantFrom(...ZONES, 'Pacific/Apia', 'America/Sao_Paulo', 'Asia/Kathmandu');
const instant = fc.integer({ min: Date.UTC(2000, 0, 1), max: Date.UTC(2035, 0, 1) });

describe('ZoneRules', () => {
  it('knows an offset on either side of a change', () => {
    const berlin = ZoneRules.of('Europe/Berlin');
    expect(berlin.offsetMs(Date.UTC(2026, 2, 29, 0, 59, 59))).toBe(3_600_000);
    expect(berlin.offsetMs(Date.UTC(2026, 2, 29, 1))).toBe(7_200_000);
  });

  it('begins a date at the first instant it has', () => {
    const saoPaulo = ZoneRules.of('America/Sao_Paulo');
    // Summer time began at midnight: 2018-11-04 has no 00:00.
    expect(new Date(saoPaulo.startOfDate('2018-11-04')).toISOString()).toBe(
      '2018-11-04T03:00:00.000Z',
    );
    expect(ZoneRules.of('Asia/Kolkata').startOfDate('2026-01-01')).toBe(
      Date.UTC(2025, 11, 31, 18, 30),
    );
  });

  it('takes the first of two instants with the same local time', () => {
    const berlin = ZoneRules.of('Europe/Berlin');
    expect(berlin.instantOf(Date.UTC(2026, 9, 25, 2, 30))).toBe(Date.UTC(2026, 9, 25, 0, 30));
  });

  it('splits a year at its changes of offset', () => {
    const spans = ZoneRules.of('Europe/Berlin').offsetSpans(
      Date.UTC(2026, 0, 1),
      Date.UTC(2027, 0, 1),
    );
    expect(spans.map((span) => span.offsetMs / 3_600_000)).toEqual([1, 2, 1]);
    expect(spans[1]?.fromMs).toBe(Date.UTC(2026, 2, 29, 1));
  });

  it('every instant lies in the date it is said to have', () => {
    fc.assert(
      fc.property(zone, instant, (name, timeMs) => {
        const rules = ZoneRules.of(name);
        const date = rules.dateAt(timeMs);
        expect(rules.startOfDate(date)).toBeLessThanOrEqual(timeMs);
        expect(rules.startOfDate(addToDate(date, { days: 1 }))).toBeGreaterThan(timeMs);
      }),
    );
  });

  it('offset spans cover the range and agree with the offset everywhere', () => {
    fc.assert(
      fc.property(zone, instant, fc.integer({ min: 1, max: 1e11 }), (name, fromMs, lengthMs) => {
        const rules = ZoneRules.of(name);
        const spans = rules.offsetSpans(fromMs, fromMs + lengthMs);
        expect(spans[0]?.fromMs).toBe(fromMs);
        expect(spans.at(-1)?.toMs).toBe(fromMs + lengthMs);
        for (const [index, span] of spans.entries()) {
          expect(rules.offsetMs(span.fromMs)).toBe(span.offsetMs);
          expect(rules.offsetMs(span.toMs - 1)).toBe(span.offsetMs);
          if (index > 0) expect(spans[index - 1]?.toMs).toBe(span.fromMs);
        }
      }),
      { numRuns: 50 },
    );
  });
});

describe('isTimeZone', () => {
  it('accepts IANA names and nothing else', () => {
    expect(ZONES.every(isTimeZone)).toBe(true);
    expect(['', 'Mars/Olympus', '+02:00', 'Europe/Berlin '].some(isTimeZone)).toBe(false);
  });
});

describe('addToDate', () => {
  it('keeps to the end of a shorter month', () => {
    expect(addToDate('2026-03-31', { months: -1 })).toBe('2026-02-28');
    expect(addToDate('2024-01-31', { months: 1 })).toBe('2024-02-29');
    expect(addToDate('2026-01-01', { days: -1 })).toBe('2025-12-31');
  });
});
