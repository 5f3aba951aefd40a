import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { PageTable } from './page-table.ts';
import { StagedChange } from './staged-change.ts';

const PAGE_SIZE = 512;

const changes = fc.array(
  fc.record({
    pages: fc.uniqueArray(fc.record({ pgno: fc.integer({ min: 1, max: 30 }), fill: fc.nat(255) }), {
      selector: ({ pgno }) => pgno,
    }),
    pageCount: fc.integer({ min: 1, max: 40 }),
  }),
  { maxLength: 8 },
);

test('R10: a staged change leaves the table alone, says what it will be, and makes it that', () => {
  const folder = mkdtempSync(join(tmpdir(), 'tandem-staged-'));
  try {
    fc.assert(
      fc.property(changes, (steps) => {
        using table = PageTable.create(join(folder, 'staged'), PAGE_SIZE);
        using model = PageTable.create(join(folder, 'model'), PAGE_SIZE);
        for (const { pages, pageCount } of steps) {
          const before = table.digest;
          const staged = new StagedChange(table);
          for (const { pgno, fill } of pages) {
            if (pgno > pageCount) continue;
            const data = new Uint8Array(PAGE_SIZE).fill(fill);
            staged.add({ pgno, data });
            model.setPage(pgno, data);
          }
          staged.truncate(pageCount);
          model.truncate(pageCount);
          expect(table.digest).toBe(before);
          expect(staged.rollingChecksum).toBe(model.rollingChecksum);
          staged.enter();
          staged.enter();
          expect(table.digest).toBe(model.digest);
          expect(table.rollingChecksum).toBe(model.rollingChecksum);
          expect(table.pageCount).toBe(model.pageCount);
        }
      }),
      { numRuns: 100 },
    );
  } finally {
    rmSync(folder, { recursive: true });
  }
});
