import { expect, it } from 'vitest';
import { LEASE_TIMING_PRESETS, parseLeaseTimings, validUntilMs } from './lease-timings.ts';

it('every preset keeps the rules', () => {
  for (const preset of Object.values(LEASE_TIMING_PRESETS)) {
    expect(parseLeaseTimings(preset)).toEqual(preset);
  }
});

it('what is not given is scaled to the duration', () => {
  expect(parseLeaseTimings()).toEqual(LEASE_TIMING_PRESETS.default);
  expect(parseLeaseTimings({ durationMs: 30_000 })).toEqual({
    durationMs: 30_000,
    renewDeadlineMs: 20_000,
    retryMs: 4000,
    marginMs: 5000,
  });
});

it.each([
  [{ durationMs: 10_000, renewDeadlineMs: 10_000 }, 'not longer than the renew deadline'],
  [{ renewDeadlineMs: 2400, retryMs: 2000 }, 'no time for a second attempt'],
  [{ marginMs: 5001 }, 'begins before the renew deadline'],
  [{ durationMs: 0 }, 'durationMs is 0'],
  [{ retryMs: Number.NaN }, 'retryMs is NaN'],
  [{ durationMs: Infinity }, 'durationMs is Infinity'],
])('%o is refused: %s', (given, message) => {
  expect(() => parseLeaseTimings(given)).toThrow(
    expect.objectContaining({
      code: 'lease_bad_setting',
      message: expect.stringContaining(message),
    }),
  );
});

it('a term counts from when its request was sent, less the margin', () => {
  expect(validUntilMs(LEASE_TIMING_PRESETS.default, 100)).toBe(12_600);
});
