import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { csvLine } from './csv-text.ts';
import { RecordSplitter } from './record-splitter.ts';

/** The records of `data` when it comes in pieces that end at `cuts`. */
function split(data: Buffer, cuts: readonly number[], hasQuotes: boolean): readonly string[] {
  const splitter = new RecordSplitter({ hasQuotes });
  const edges = [0, ...cuts.map((cut) => cut % (data.length + 1)), data.length];
  edges.sort((left, right) => left - right);
  const records: string[] = [];
  const bytes: Uint8Array[] = [];
  for (const [index, edge] of edges.entries()) {
    const part = splitter.push(data.subarray(edges[index - 1] ?? 0, edge));
    records.push(...part.records);
    bytes.push(part.bytes);
  }
  const last = splitter.end();
  expect(Buffer.concat([...bytes, last.bytes])).toEqual(data);
  return [...records, ...last.records];
}

const cuts = fc.array(fc.nat(), { maxLength: 5 });

describe('records', () => {
  it('are the lines of a text, however it is cut, and no byte is left out', () => {
    const line = fc
      .string({ unit: 'grapheme' })
      .map((text) => text.replaceAll(/[\r\n\uFEFF]/g, ' '));
    fc.assert(
      fc.property(fc.array(line), cuts, (lines, at) => {
        const data = Buffer.from(lines.map((each) => `${each}\n`).join(''));
        expect(split(data, at, false)).toEqual(lines);
      }),
    );
  });

  it('of CSV may hold line feeds between quotation marks', () => {
    const cell = fc.string({ unit: fc.constantFrom('a', '"', '\n', ',', 'é') });
    const record = fc.array(cell, { minLength: 1, maxLength: 4 });
    fc.assert(
      fc.property(fc.array(record), cuts, (records, at) => {
        const lines = records.map((cells) => csvLine(cells));
        const found = split(Buffer.from(lines.join('')), at, true);
        expect(found).toEqual(lines.map((each) => each.slice(0, -1)));
      }),
    );
  });

  it('end before a carriage return, begin after a byte order mark, and may lack their end', () => {
    const data = Buffer.from('\uFEFFone\r\ntwo\n\nlast');
    expect(split(data, [], false)).toEqual(['one', 'two', '', 'last']);
  });

  it('without an end are refused', () => {
    const splitter = new RecordSplitter({ hasQuotes: false });
    expect(() => splitter.push(Buffer.alloc(5 * 1024 * 1024, 'x'))).toThrow(/longer than/);
  });
});
