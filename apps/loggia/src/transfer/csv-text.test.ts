import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { csvLine, parseCsvLine } from './csv-text.ts';

describe('CSV', () => {
  it('quotes what must be quoted, and tells nothing from a text without characters', () => {
    const cells = ['a', 'b,c', 'd"e', 'f\ng', '', null, 7];
    expect(csvLine(cells)).toBe('a,"b,c","d""e","f\ng","",,7\n');
  });

  it('gives back any cells', () => {
    const cell = fc.option(fc.string({ unit: 'binary' }));
    fc.assert(
      fc.property(fc.array(cell, { minLength: 1, maxLength: 8 }), (cells) => {
        expect(parseCsvLine(csvLine(cells).slice(0, -1))).toEqual(cells);
      }),
      { numRuns: 500 },
    );
  });

  it.each(['"a', 'a"b', '"a"b,c', '"a""', 'a,"', '"a" ,b'])('%s is no record', (record) => {
    expect(parseCsvLine(record)).toBeUndefined();
  });
});
