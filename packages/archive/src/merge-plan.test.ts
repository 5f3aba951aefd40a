import { expect, test } from 'vitest';
import type { SegmentLevel, SegmentSet } from '@loggia/contract';
import { planMerge } from './merge-plan.ts';

/** 1 October 2026. */
const OCTOBER = 20_727;

function set(id: number, firstDay: number, level: SegmentLevel = 'part', bytes = 10): SegmentSet {
  const facts = { sealed: id, lastDay: firstDay, fromMs: 0, toMs: 0, visits: 1, events: 1 };
  const segment = { id, kind: 'visits' as const, rows: 1, bytes, sha256: '' };
  return { id, level, firstDay, ...facts, segments: [segment] };
}

function idsOf(sets: readonly SegmentSet[], today: number, bytesMax = 100): unknown {
  const plan = planMerge(sets, today, bytesMax);
  return plan === undefined ? undefined : [plan.level, ...plan.sets.map(({ id }) => id)];
}

test('the parts of a day wait for late ones, but not for many', () => {
  const parts = [set(1, OCTOBER), set(2, OCTOBER), set(3, OCTOBER + 1)];
  expect(idsOf(parts, OCTOBER + 2)).toBeUndefined();
  expect(idsOf(parts, OCTOBER + 3)).toEqual(['day', 1, 2]);
  const many = Array.from({ length: 8 }, (_, index) => set(index + 1, OCTOBER));
  expect(idsOf(many, OCTOBER + 1)).toEqual(['day', 1, 2, 3, 4, 5, 6, 7, 8]);
});

test('a month is merged when it is over, into sets of bounded size', () => {
  const days = [set(1, OCTOBER - 5, 'day'), set(2, OCTOBER - 4, 'day'), set(3, OCTOBER, 'day')];
  expect(idsOf(days, OCTOBER + 2)).toBeUndefined();
  expect(idsOf(days, OCTOBER + 3)).toEqual(['month', 1, 2]);
  expect(idsOf(days, OCTOBER + 3, 15)).toEqual(['month', 1]);
});

test('late parts of a merged month wait until there are many', () => {
  const merged = set(100, OCTOBER - 20, 'month');
  const late = Array.from({ length: 8 }, (_, index) => set(index + 1, OCTOBER - 20 + index));
  expect(idsOf([merged, ...late.slice(1)], OCTOBER + 9)).toBeUndefined();
  expect(idsOf([merged, ...late], OCTOBER + 9)).toEqual(['month', 1, 100, 2, 3, 4, 5, 6, 7, 8]);
});
