import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { editDistance, nearestName } from './nearest-name.ts';

describe('editDistance', () => {
  it('counts insertions, deletions, replacements and swaps of neighbours', () => {
    expect(editDistance('listen', 'lisen')).toBe(1);
    expect(editDistance('listen', 'listten')).toBe(1);
    expect(editDistance('listen', 'lisden')).toBe(1);
    expect(editDistance('listen', 'litsen')).toBe(1);
    expect(editDistance('', 'abc')).toBe(3);
    expect(editDistance('kitten', 'sitting')).toBe(3);
  });

  it('is 0 for equal texts only, the same both ways, and bounded by the lengths', () => {
    const text = fc.string({ maxLength: 12 });
    fc.assert(
      fc.property(text, text, (left, right) => {
        const distance = editDistance(left, right);
        expect(distance === 0).toBe(left === right);
        expect(distance).toBe(editDistance(right, left));
        expect(distance).toBeLessThanOrEqual(Math.max(left.length, right.length));
        expect(distance).toBeGreaterThanOrEqual(Math.abs(left.length - right.length));
      }),
    );
  });
});

describe('nearestName', () => {
  const names = ['listen', 'base_url', 'data_dir', 'outbound-links'];

  it('finds what was meant despite a slip, the case and the kind of dash', () => {
    expect(nearestName('lisen', names)).toBe('listen');
    expect(nearestName('Base-URL', names)).toBe('base_url');
    expect(nearestName('datadir', names)).toBe('data_dir');
  });

  it('finds the one name that begins like a text cut short', () => {
    expect(nearestName('outbond', names)).toBe('outbound-links');
    expect(nearestName('out', names)).toBeUndefined();
  });

  it('finds nothing for what is like none of them', () => {
    expect(nearestName('zebra crossing', names)).toBeUndefined();
    expect(nearestName('', names)).toBeUndefined();
  });
});
