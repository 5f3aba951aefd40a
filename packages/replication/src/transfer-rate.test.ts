import { expect, test } from 'vitest';
import { ModelClock } from '../test/stream-model.ts';
import { TransferRate } from './transfer-rate.ts';

test('without a limit nothing is ever delayed', () => {
  const rate = new TransferRate(undefined, new ModelClock());
  rate.spend(1 << 40);
  expect(rate.delayMs()).toBe(0);
});

test('a tenth of a second at full rate may be sent at once, then the debt delays', () => {
  const clock = new ModelClock();
  const rate = new TransferRate(1000, clock);
  rate.spend(100);
  expect(rate.delayMs()).toBe(0);
  rate.spend(500);
  expect(rate.delayMs()).toBe(500);
  clock.advance(200);
  expect(rate.delayMs()).toBe(300);
  clock.advance(300);
  expect(rate.delayMs()).toBe(0);
});

test('silence saves up no more than the burst', () => {
  const clock = new ModelClock();
  const rate = new TransferRate(1000, clock);
  clock.advance(60_000);
  rate.spend(1100);
  expect(rate.delayMs()).toBe(1000);
});

test('senders that wait as told get the rate and not more, whatever their pieces', () => {
  const clock = new ModelClock();
  const rate = new TransferRate(10_000, clock);
  let sent = 0;
  for (let piece = 1; clock.monotonicMs() < 10_000; piece = ((piece * 7) % 5000) + 1) {
    clock.advance(rate.delayMs());
    rate.spend(piece);
    sent += piece;
  }
  expect(sent).toBeGreaterThanOrEqual(100_000);
  expect(sent).toBeLessThanOrEqual(100_000 + 1000 + 5000);
});

test('a rate of nothing is a mistake', () => {
  expect(() => new TransferRate(0, new ModelClock())).toThrow('above 0');
});
