import { expect, it } from 'vitest';
import { formatLibraryVersion, hasWalResetBug } from './library-version.ts';

it.each([
  [3_053_004, '3.53.4'],
  [3_007_000, '3.7.0'],
  [3_051_012, '3.51.12'],
  [0, '0.0.0'],
])('%i is %s', (number, text) => {
  expect(formatLibraryVersion(number)).toBe(text);
});

it.each([
  [0, false],
  [3_006_023, false],
  [3_007_000, true],
  [3_044_005, true],
  [3_044_006, false],
  [3_044_999, false],
  [3_045_000, true],
  [3_050_006, true],
  [3_050_007, false],
  [3_051_000, true],
  [3_051_002, true],
  [3_051_003, false],
  [3_052_000, false],
  [3_053_004, false],
])('%i has the WAL-reset bug: %s', (version, has) => {
  expect(hasWalResetBug(version)).toBe(has);
});
