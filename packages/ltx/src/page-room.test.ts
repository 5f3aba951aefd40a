import { expect, test } from 'vitest';
import { PageRoom } from './page-room.ts';

test('each page has its own memory, all zeros', () => {
  const room = new PageRoom(512);
  const pages = Array.from({ length: 300 }, () => room.next());
  for (const [index, page] of pages.entries()) {
    expect(page).toEqual(new Uint8Array(512));
    page.fill((index % 255) + 1);
  }
  for (const [index, page] of pages.entries()) {
    expect(page).toEqual(new Uint8Array(512).fill((index % 255) + 1));
  }
});

test('a kept page keeps a bounded number of others', () => {
  const room = new PageRoom(512);
  const sizes = Array.from({ length: 300 }, () => room.next().buffer.byteLength / 512);
  expect(sizes[0]).toBe(1);
  expect(Math.max(...sizes)).toBe(64);
});
