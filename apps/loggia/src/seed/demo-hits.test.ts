import fc from 'fast-check';
import type { Hit } from '@loggia/contract';
import { CHANNELS, SCREEN_CLASSES } from '@loggia/ingest';
import { ZoneRules } from '@tandem/base';
import { describe, expect, it } from 'vitest';
import { DEMO_BATCH_MAX, demoHits, type DemoOptions } from './demo-hits.ts';
import { DEMO_PAGES } from './demo-pages.ts';
import { Prng } from './prng.ts';
import { WeightedChoice } from './weighted-choice.ts';

const OPTIONS: DemoOptions = {
  sites: [
    { siteId: 1, domain: 'demo.example', timezone: 'Europe/Berlin', share: 3 },
    { siteId: 2, domain: 'shop.example', timezone: 'Asia/Tokyo', share: 1 },
  ],
  firstDate: '2026-03-01',
  days: 40,
  hitsTarget: 12_000,
  seed: 7,
  endMs: Number.POSITIVE_INFINITY,
};

const hitsOf = (options: Partial<DemoOptions> = {}): Hit[] =>
  [...demoHits({ ...OPTIONS, ...options })].flat();

describe('demo data', () => {
  const hits = hitsOf();

  it('is the same for the same options, and another for another seed', () => {
    expect(hitsOf()).toEqual(hits);
    expect(hitsOf({ seed: 8 })[0]).not.toEqual(hits[0]);
  });

  it('has about as many hits as asked for, most of them for the largest site', () => {
    expect(hits.length).toBeGreaterThan(11_000);
    expect(hits.length).toBeLessThan(13_000);
    const share = hits.filter((hit) => hit.siteId === 1).length / hits.length;
    expect(share).toBeGreaterThan(0.7);
    expect(share).toBeLessThan(0.8);
  });

  it('comes in the order of time and in batches of bounded size', () => {
    expect(hits.every((hit, index) => hit.timeMs >= (hits[index - 1]?.timeMs ?? 0))).toBe(true);
    const sizes = [...demoHits({ ...OPTIONS, hitsTarget: 400_000, days: 3 })].map(
      (batch) => batch.length,
    );
    expect(Math.max(...sizes)).toBe(DEMO_BATCH_MAX);
    expect(Math.min(...sizes)).toBeGreaterThan(0);
  });

  it('begins no visit outside the days of the site', () => {
    const berlin = ZoneRules.of('Europe/Berlin');
    const first = berlin.startOfDate('2026-03-01');
    const end = berlin.startOfDate('2026-04-10') + 3 * 3_600_000;
    const times = hits.filter((hit) => hit.siteId === 1).map((hit) => hit.timeMs);
    expect(Math.min(...times)).toBeGreaterThanOrEqual(first);
    expect(Math.max(...times)).toBeLessThan(end);
    expect(new Set(times.map((timeMs) => berlin.dateAt(timeMs))).size).toBeGreaterThanOrEqual(40);
  });

  it('stops at the given instant and is the same until then', () => {
    const endMs = Date.UTC(2026, 2, 20, 12);
    expect(hitsOf({ endMs })).toEqual(hits.filter((hit) => hit.timeMs < endMs));
  });

  it('never parts a visit by half an hour, and sends no ping without a visit', () => {
    const lastMs = new Map<string, number>();
    for (const hit of hits) {
      const key = `${hit.siteId} ${hit.visitor}`;
      const gapMs = hit.timeMs - (lastMs.get(key) ?? Number.NEGATIVE_INFINITY);
      const isNewVisit = gapMs > 30 * 60_000;
      expect(isNewVisit && hit.name !== 'pageview').toBe(false);
      lastMs.set(key, hit.timeMs);
    }
  });

  it('carries what each kind of event carries', () => {
    for (const hit of hits) {
      const isPing = hit.name === 'engagement';
      expect(hit.scrollDepth !== null).toBe(isPing);
      expect(hit.engagedMs !== null).toBe(isPing);
      expect(hit.revenueMilli !== null).toBe(hit.name === 'Purchase');
      expect(hit.revenueCurrency).toBe(hit.name === 'Purchase' ? 'EUR' : null);
      expect(Number.isInteger(hit.timeMs)).toBe(true);
      expect(hit.visitor).toBe(BigInt.asIntN(64, hit.visitor));
    }
    const names = new Set(hits.map((hit) => hit.name));
    for (const name of ['pageview', 'engagement', 'Signup', 'Purchase', 'File Download', '404']) {
      expect(names).toContain(name);
    }
  });

  it('has the channels and screen classes that the ingest knows', () => {
    const channels: readonly string[] = CHANNELS;
    const screens: readonly (string | null)[] = SCREEN_CLASSES.map(({ name }) => name);
    expect(hits.filter((hit) => !channels.includes(hit.attributes.channel))).toEqual([]);
    expect(hits.filter((hit) => !screens.includes(hit.attributes.screen))).toEqual([]);
  });

  it('has quiet weekends and quiet nights', () => {
    const views = hits.filter((hit) => hit.siteId === 1 && hit.name === 'pageview');
    const berlin = ZoneRules.of('Europe/Berlin');
    const local = views.map((hit) => new Date(berlin.localMs(hit.timeMs)));
    const sundays = local.filter((time) => time.getUTCDay() === 0).length;
    const tuesdays = local.filter((time) => time.getUTCDay() === 2).length;
    expect(sundays * 1.3).toBeLessThan(tuesdays);
    const nights = local.filter((time) => time.getUTCHours() < 5).length;
    const mornings = local.filter((time) => time.getUTCHours() >= 9 && time.getUTCHours() < 14);
    expect(nights * 4).toBeLessThan(mornings.length);
  });
});

describe('the pages of the demo', () => {
  it('are about three hundred, each there once', () => {
    expect(DEMO_PAGES.length).toBeGreaterThanOrEqual(300);
    expect(new Set(DEMO_PAGES.map((page) => page.path)).size).toBe(DEMO_PAGES.length);
    expect(DEMO_PAGES[0]?.path).toBe('/');
  });
});

describe('Prng', () => {
  it('repeats itself from the same seed, whatever is drawn', () => {
    fc.assert(
      fc.property(fc.string(), (seed) => {
        const [left, right] = [new Prng(seed), new Prng(seed)];
        const draw = (prng: Prng) => [prng.uint32(), prng.float(), prng.normal(), prng.int64()];
        expect(draw(left)).toEqual(draw(right));
      }),
    );
  });

  it('is what it has always been, so that seeds keep their meaning', () => {
    const prng = new Prng('1');
    expect([prng.uint32(), prng.uint32(), prng.uint32()]).toEqual([
      1524249814, 1822646434, 1841635157,
    ]);
  });

  it('is even over its range', () => {
    const prng = new Prng('even');
    const counts = Array.from({ length: 10 }, () => 0);
    for (let draw = 0; draw < 20_000; draw++) {
      const bucket = prng.whole(0, 9);
      counts[bucket] = (counts[bucket] ?? 0) + 1;
    }
    for (const count of counts) expect(Math.abs(count - 2000)).toBeLessThan(250);
  });
});

describe('WeightedChoice', () => {
  it('picks by weight and never what weighs nothing', () => {
    const choice = new WeightedChoice(['a', 'b', 'never'], (item) =>
      item === 'a' ? 3 : item === 'b' ? 1 : 0,
    );
    const prng = new Prng('choice');
    const picks = Array.from({ length: 8000 }, () => choice.pick(prng));
    const share = picks.filter((pick) => pick === 'a').length / picks.length;
    expect(share).toBeGreaterThan(0.72);
    expect(share).toBeLessThan(0.78);
    expect(picks).not.toContain('never');
  });
});
