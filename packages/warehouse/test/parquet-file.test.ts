import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import {
  type ParquetCell,
  type ParquetColumn,
  ParquetReader,
  ParquetWriter,
} from '../src/index.ts';

const folder = mkdtempSync(join(tmpdir(), 'loggia-parquet-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const COLUMNS: readonly ParquetColumn[] = [
  { name: 'a "text"', kind: 'text' },
  { name: 'number', kind: 'integer' },
  { name: 'wide', kind: 'int64' },
  { name: 'moment', kind: 'time' },
  { name: 'yes', kind: 'flag' },
];
const ROW = fc.tuple(
  fc.option(fc.string({ unit: 'grapheme' }).map((text) => text.replaceAll('\0', ''))),
  fc.option(fc.maxSafeInteger()),
  fc.option(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }).map(String)),
  fc.option(fc.integer({ min: 0, max: Date.UTC(2200, 0) })),
  fc.option(fc.integer({ min: 0, max: 1 })),
);

async function write(path: string, pages: readonly (readonly ParquetCell[])[][]): Promise<void> {
  const writer = await ParquetWriter.open(path, COLUMNS);
  try {
    for (const page of pages) await writer.write(page);
    await writer.finish();
  } finally {
    writer.close();
  }
}

async function read(path: string, from = 0): Promise<(readonly ParquetCell[])[]> {
  const reader = await ParquetReader.open(path);
  try {
    const rows: (readonly ParquetCell[])[] = [];
    for await (const block of reader.rows(COLUMNS, from)) rows.push(...block);
    return rows;
  } finally {
    reader.close();
  }
}

describe('a Parquet file', () => {
  it('gives back what was written, from any row on', async () => {
    const path = join(folder, 'property.parquet');
    const pages = fc.array(fc.array(ROW, { maxLength: 40 }), { maxLength: 4 });
    await fc.assert(
      fc.asyncProperty(pages, fc.nat(50), async (given, from) => {
        await write(path, given);
        expect(await read(path, from)).toEqual(given.flat().slice(from));
      }),
      { numRuns: 30 },
    );
  });

  it('of several parts keeps the order of its rows and leaves no part behind', async () => {
    const path = join(folder, 'large.parquet');
    const pages = Array.from({ length: 6 }, (_, page) =>
      Array.from({ length: 100_000 }, (__, row): ParquetCell[] => {
        const number = page * 100_000 + row;
        return [`/${number % 100}`, number, '1', number, 1];
      }),
    );
    await write(path, pages);
    const numbers = (await read(path, 299_999)).map((row) => row[1]);
    expect(numbers).toHaveLength(300_001);
    expect(numbers.every((number, index) => number === 299_999 + index)).toBe(true);
    expect(readdirSync(folder).filter((name) => name.startsWith('large'))).toEqual([
      'large.parquet',
    ]);
  });

  it('may be empty, and tells its columns and how many rows it has', async () => {
    const path = join(folder, 'empty.parquet');
    await write(path, []);
    const reader = await ParquetReader.open(path);
    expect(await reader.columnNames()).toEqual(COLUMNS.map(({ name }) => name));
    expect(await reader.rowCount()).toBe(0);
    reader.close();
  });

  it('that is none is refused', async () => {
    const path = join(folder, 'none.parquet');
    writeFileSync(path, 'no such thing');
    const reader = await ParquetReader.open(path);
    await expect(reader.columnNames()).rejects.toThrow(/parquet/i);
    reader.close();
    expect(existsSync(path)).toBe(true);
  });
});
