import { expect, it } from 'vitest';
import { isPageSize, lockPage } from './page-size.ts';

it('knows the eight page sizes and no other', () => {
  const sizes = Array.from({ length: 70_000 }, (_, bytes) => bytes).filter((n) => isPageSize(n));
  expect(sizes).toEqual([512, 1024, 2048, 4096, 8192, 16_384, 32_768, 65_536]);
  for (const odd of [-512, 512.5, Number.NaN, Infinity, 2 ** 32 + 512]) {
    expect(isPageSize(odd)).toBe(false);
  }
});

it('puts the lock page around the byte at 1 GiB', () => {
  expect(lockPage(4096)).toBe(262_145);
  expect(lockPage(512)).toBe(2_097_153);
  expect(lockPage(65_536)).toBe(16_385);
});
