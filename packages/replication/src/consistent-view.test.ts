import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { checkpointedCopy } from '../test/checkpointed-copy.ts';
import { ConsistentView } from './consistent-view.ts';
import { OpenDatabase } from './open-database.ts';

const PAGE_SIZE = 512;

function pagesOf(view: ConsistentView): Buffer {
  const bytes = Buffer.alloc(view.pageCount * PAGE_SIZE);
  for (const pgno of view.pgnos()) {
    view.readPage(pgno, bytes.subarray((pgno - 1) * PAGE_SIZE, pgno * PAGE_SIZE));
  }
  return bytes;
}

/** The same by runs of pages. */
function runsOf(view: ConsistentView, runPages: number): Buffer {
  const bytes = Buffer.alloc(view.pageCount * PAGE_SIZE, 1);
  for (let at = 0; at < bytes.length; at += runPages * PAGE_SIZE) {
    view.readPages(at / PAGE_SIZE + 1, bytes.subarray(at, at + runPages * PAGE_SIZE));
  }
  return bytes;
}

const change = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.nat(3000).map((size) => `INSERT INTO t (x) VALUES (zeroblob(${size}))`),
  },
  fc.constantFrom(
    'DELETE FROM t WHERE id % 3 = 0',
    'UPDATE t SET x = randomblob(length(x)) WHERE id % 2 = 0',
    'VACUUM',
    'PRAGMA incremental_vacuum(5)',
    'PRAGMA wal_checkpoint(PASSIVE)',
    'PRAGMA wal_checkpoint(FULL)',
    'PRAGMA wal_checkpoint(RESTART)',
    'PRAGMA wal_checkpoint(TRUNCATE)',
  ),
);

test('R9: a view is what SQLite would make of the files, and stays so whatever is done meanwhile', () => {
  fc.assert(
    fc.property(fc.array(fc.array(change, { maxLength: 8 }), { maxLength: 8 }), (rounds) => {
      const folder = mkdtempSync(join(tmpdir(), 'tandem-view-'));
      const path = join(folder, 'app.db');
      const app = new DatabaseSync(path);
      app.exec(`PRAGMA page_size=${PAGE_SIZE}; PRAGMA auto_vacuum=incremental`);
      app.exec('PRAGMA journal_mode=wal; PRAGMA synchronous=OFF; PRAGMA wal_autocheckpoint=0');
      app.exec('PRAGMA busy_timeout=0; CREATE TABLE t (id INTEGER PRIMARY KEY, x BLOB)');
      const open = OpenDatabase.open(path, { busyTimeoutMs: 0 });
      const held: { readonly view: ConsistentView; readonly bytes: Buffer }[] = [];
      try {
        for (const changes of rounds) {
          for (const sql of changes) app.exec(sql);
          const expected = checkpointedCopy(path);
          const pageCount = open.pageCount();
          const view = ConsistentView.open(open, { pageSize: PAGE_SIZE, pageCount });
          const bytes = pagesOf(view);
          held.push({ view, bytes });
          expect(bytes.equals(expected)).toBe(true);
          for (const pages of [1, 3, 64]) expect(runsOf(view, pages).equals(expected)).toBe(true);
          for (const each of held) expect(pagesOf(each.view).equals(each.bytes)).toBe(true);
          // The oldest leaves, so that the log can restart now and then.
          if (held.length > 2) held.shift()?.view.close();
        }
      } finally {
        open.close();
        app.close();
        rmSync(folder, { recursive: true });
      }
    }),
    { numRuns: 60 },
  );
}, 60_000);
