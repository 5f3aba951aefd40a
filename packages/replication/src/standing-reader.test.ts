import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { checkpointedCopy } from '../test/checkpointed-copy.ts';
import { OpenDatabase } from './open-database.ts';
import { StandingReader } from './standing-reader.ts';
import { WalCapture } from './wal-capture.ts';
import { cursorOf } from './wal-cursor.ts';

const PAGE_SIZE = 512;

const step = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.nat(3000).map((size) => `INSERT INTO t (x) VALUES (randomblob(${size}))`),
  },
  {
    weight: 3,
    arbitrary: fc.constantFrom(
      'DELETE FROM t WHERE id % 3 = 0',
      'PRAGMA wal_checkpoint(PASSIVE)',
      'PRAGMA wal_checkpoint(RESTART)',
      'PRAGMA wal_checkpoint(TRUNCATE)',
    ),
  },
  { weight: 4, arbitrary: fc.constantFrom('capture' as const, 'advance' as const) },
);

/** Replays captured changes over the pages of the beginning. */
class Replay {
  readonly #capture: WalCapture;
  #bytes: Buffer;

  constructor(open: OpenDatabase) {
    this.#bytes = checkpointedCopy(open.path);
    this.#capture = new WalCapture(open, cursorOf(open.readWalIndexHeader()));
  }

  get bytes(): Buffer {
    return this.#bytes;
  }

  capture(): void {
    for (let change = this.#capture.read(); change !== undefined; change = this.#capture.read()) {
      const bytes = Buffer.alloc(change.pageCount * PAGE_SIZE);
      this.#bytes.copy(bytes);
      for (const pgno of change.pgnos) {
        bytes.set(this.#capture.page(change.frames.get(pgno) ?? 0), (pgno - 1) * PAGE_SIZE);
      }
      this.#bytes = bytes;
      this.#capture.accept(change);
    }
  }
}

test('R2: whatever programs write and checkpoint, nothing is overwritten before it is captured', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const folder = mkdtempSync(join(tmpdir(), 'tandem-reader-'));
      const path = join(folder, 'app.db');
      const app = new DatabaseSync(path);
      app.exec(`PRAGMA page_size=${PAGE_SIZE}; PRAGMA journal_mode=wal; PRAGMA synchronous=OFF`);
      app.exec('PRAGMA busy_timeout=0; CREATE TABLE t (id INTEGER PRIMARY KEY, x BLOB)');
      const open = OpenDatabase.open(path, { busyTimeoutMs: 0 });
      const reader = new StandingReader(open);
      const replay = new Replay(open);
      try {
        for (const each of steps) {
          if (each === 'capture' || each === 'advance') replay.capture();
          else app.exec(each);
          if (each === 'advance') reader.advance();
        }
        replay.capture();
        expect(replay.bytes.equals(checkpointedCopy(path))).toBe(true);
      } finally {
        reader.close();
        open.close();
        app.close();
        rmSync(folder, { recursive: true });
      }
    }),
    { numRuns: 200 },
  );
}, 60_000);
