import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { expect, test } from 'vitest';
import { OpenDatabase } from './open-database.ts';
import { PrimaryCheckpoint } from './primary-checkpoint.ts';
import { StandingReader } from './standing-reader.ts';

/** Longer than any test. */
const HOLD_MS = 3_600_000;

class Scene {
  readonly folder = mkdtempSync(join(tmpdir(), 'tandem-checkpoint-'));
  readonly path = join(this.folder, 'app.db');
  readonly app = this.connect();
  readonly open: OpenDatabase;
  readonly #reader: StandingReader;
  readonly checkpoint: PrimaryCheckpoint;
  /** What programs do whenever the checkpoint captures. */
  meanwhile: () => void = () => {};

  constructor() {
    this.app.exec('PRAGMA journal_mode=wal; PRAGMA synchronous=OFF; CREATE TABLE t (x)');
    this.open = OpenDatabase.open(this.path, { busyTimeoutMs: 0 });
    this.#reader = new StandingReader(this.open);
    this.checkpoint = new PrimaryCheckpoint(this.open, this.#reader, () => this.meanwhile());
  }

  connect(): DatabaseSync {
    const connection = new DatabaseSync(this.path, { timeout: 0 });
    connection.exec('PRAGMA wal_autocheckpoint=0');
    return connection;
  }

  write(): void {
    this.app.exec('INSERT INTO t (x) VALUES (randomblob(500))');
  }

  frames(): number {
    return this.open.readWalIndexHeader().mxFrame;
  }

  [Symbol.dispose](): void {
    this.checkpoint.close();
    this.#reader.close();
    this.open.close();
    this.app.close();
    rmSync(this.folder, { recursive: true });
  }
}

test('a program that writes on meanwhile keeps the log from coming to rest', () => {
  using scene = new Scene();
  scene.meanwhile = () => scene.write();
  expect(scene.checkpoint.run()).toBe(false);
  const before = scene.frames();
  scene.write();
  expect(scene.frames()).toBeGreaterThan(before);
});

test('while it is alone nobody can write, and the next writer begins the log anew', () => {
  using scene = new Scene();
  for (let row = 0; row < 20; row += 1) scene.write();
  scene.meanwhile = () => expect(() => scene.write()).toThrow(/locked/);
  expect(scene.checkpoint.runAlone(0).isComplete).toBe(true);
  scene.write();
  expect(scene.frames()).toBeLessThan(5);
});

test('alone it waits for a reader that looks at an earlier state and ends in time', () => {
  using scene = new Scene();
  scene.write();
  const late = scene.connect();
  late.exec('BEGIN; SELECT * FROM t');
  scene.write();
  let looks = 0;
  scene.meanwhile = () => {
    looks += 1;
    if (looks === 7) late.exec('COMMIT');
  };
  expect(scene.checkpoint.runAlone(HOLD_MS).isComplete).toBe(true);
  expect(looks).toBeGreaterThanOrEqual(7);
  late.close();
  scene.write();
  expect(scene.frames()).toBeLessThan(5);
});

test('a reader that does not end makes it give up, and writers go on', () => {
  using scene = new Scene();
  scene.write();
  const late = scene.connect();
  late.exec('BEGIN; SELECT * FROM t');
  scene.write();
  expect(scene.checkpoint.runAlone(2).isComplete).toBe(false);
  scene.write();
  late.close();
});
