import {
  closeSync,
  cpSync,
  existsSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import { parseWalIndexHeader } from '@tandem/sqlite-format';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { ReplicatedDatabase } from '../src/replicated-database.ts';
import {
  follow,
  openApp,
  openNode,
  pathIn,
  problemOf,
  quarantineIn,
  textsIn,
} from './engine-nodes.ts';
import { SeededRandom } from './seeded-random.ts';

const ROUNDS = Number(process.env['TANDEM_KILL_ROUNDS'] ?? 15);
const SEED = Number(process.env['TANDEM_KILL_SEED'] ?? Date.now() % 1_000_000);
const TIMEOUT_MS = 60_000 + ROUNDS * 5000;
/** The file systems of today store in pieces of this size. */
const BLOCK_BYTES = 4096;

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'tandem-power-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** A primary, its replica and an application that only ever adds rows. */
class Course {
  readonly homes: readonly [string, string];
  readonly random: SeededRandom;
  readonly primary: ReplicatedDatabase;
  readonly replica: ReplicatedDatabase;
  readonly app: DatabaseSync;
  /** Digests of the database by transaction. */
  readonly digests = new Map<number, string>();
  readonly texts: string[] = [];

  constructor(random: SeededRandom) {
    this.random = random;
    this.homes = [mkdtempSync(join(folder, 'a-')), mkdtempSync(join(folder, 'b-'))];
    this.app = openApp(this.homes[0], random.of([512, 4096]));
    this.primary = openNode(this.homes[0]);
    this.replica = openNode(this.homes[1]);
    this.primary.becomePrimary(1);
    this.#note();
  }

  async step(): Promise<void> {
    const { primary, replica, app, random } = this;
    const rows = random.below(4);
    for (let row = 0; row < rows; row += 1) {
      const text = `row-${this.texts.length}`;
      const insert = app.prepare('INSERT INTO item (text, pad) VALUES (?, ?)');
      insert.run(text, Buffer.alloc(random.below(6000), row));
      this.texts.push(text);
    }
    if (random.below(4) > 0) primary.capture();
    if (random.below(3) === 0) primary.checkpointIfDue();
    if (random.below(12) === 0) app.exec('PRAGMA busy_timeout=0; PRAGMA wal_checkpoint(TRUNCATE)');
    if (random.below(2) > 0) {
      primary.capture();
      this.#note();
      await follow(primary, replica);
    }
    this.#note();
  }

  end(): void {
    this.app.close();
    this.primary.close();
    this.replica.close();
  }

  #note(): void {
    this.digests.set(this.primary.position().txid, this.primary.digest());
  }
}

function copyHome(home: string): string {
  const copy = mkdtempSync(join(folder, 'copy-'));
  cpSync(home, copy, { recursive: true });
  return copy;
}

/** Makes of a copy what a machine could find that lost its power, and worse. */
function damage(home: string, earlier: string, random: SeededRandom): string[] {
  const done: string[] = [];
  const maybe = (name: string, action: () => void): void => {
    if (random.below(3) > 0) return;
    done.push(name);
    action();
  };
  const wal = `${pathIn(home)}-wal`;
  const state = join(home, 'state');
  const frameBytes = 24 + pageSizeOf(home);
  const copied = copiedFrames(home);
  rmSync(`${pathIn(home)}-shm`, { force: true });
  // A checkpoint stores what it copies in the log before it writes the database.
  const least = copied === 0 ? 0 : 32 + copied * frameBytes;
  maybe('log cut', () => cut(wal, least + random.below(statSync(wal).size - least + 1)));
  maybe('log cut at a frame', () => {
    const frames = Math.max(copied, Math.floor((statSync(wal).size - 32) / frameBytes));
    cut(wal, 32 + (copied + random.below(frames - copied + 1)) * frameBytes);
  });
  maybe('applied missing', () => rmSync(join(state, 'applied'), { force: true }));
  maybe('applied stale', () => copyOver(join(earlier, 'state/applied'), join(state, 'applied')));
  maybe('identity stale', () =>
    copyOver(join(earlier, 'state/identity.json'), join(state, 'identity.json')),
  );
  maybe('newest files missing', () => {
    for (const path of newestFiles(state, random.below(4))) rmSync(path);
  });
  maybe('newest files cut', () => {
    for (const path of newestFiles(state, random.below(4)))
      cut(path, random.below(statSync(path).size));
  });
  maybe('table half stored', () =>
    mixBlocks(join(state, 'pages'), join(earlier, 'state/pages'), random),
  );
  maybe('table missing', () => {
    if (random.below(4) === 0) rmSync(join(state, 'pages'));
  });
  maybe('table damaged', () => {
    const path = join(state, 'pages');
    if (existsSync(path) && random.below(4) === 0) cut(path, random.below(statSync(path).size));
  });
  return done;
}

function cut(path: string, bytes: number): void {
  if (existsSync(path)) truncateSync(path, Math.min(bytes, statSync(path).size));
}

function copyOver(from: string, to: string): void {
  if (existsSync(from)) writeFileSync(to, readFileSync(from));
}

function newestFiles(state: string, count: number): string[] {
  const names = readdirSync(join(state, 'ltx')).filter((name) => name.endsWith('.ltx'));
  return names
    .toSorted()
    .slice(names.length - count)
    .map((name) => join(state, 'ltx', name));
}

/** Some blocks after the header are still those of before. */
function mixBlocks(path: string, earlier: string, random: SeededRandom): void {
  if (!existsSync(earlier)) return;
  const old = readFileSync(earlier);
  const descriptor = openSync(path, 'r+');
  for (let at = BLOCK_BYTES; at < old.length; at += BLOCK_BYTES) {
    const block = old.subarray(at, at + BLOCK_BYTES);
    if (random.below(2) === 0) writeSync(descriptor, block, 0, block.length, at);
  }
  closeSync(descriptor);
}

/** How many frames of SQLite's log have been copied into the database, by its wal-index. */
function copiedFrames(home: string): number {
  const bytes = readFileSync(`${pathIn(home)}-shm`);
  return parseWalIndexHeader(bytes.subarray(0, 136))?.backfilledFrames ?? 0;
}

function pageSizeOf(home: string): number {
  const [size = 0] = new Uint16Array([readFileSync(pathIn(home)).readUInt16BE(16)]);
  return size === 1 ? 65_536 : size;
}

/** What SQLite by itself makes of the files. */
function textsByThemselves(home: string): string[] {
  const copy = copyHome(home);
  const texts = textsIn(copy);
  rmSync(copy, { recursive: true });
  return texts;
}

async function round(random: SeededRandom): Promise<string[]> {
  const course = new Course(random);
  const steps = 2 + random.below(25);
  const earlierAt = random.below(steps);
  let earlier: [string, string] | undefined;
  for (let step = 0; step < steps; step += 1) {
    await course.step();
    if (step === earlierAt) earlier = [copyHome(course.homes[0]), copyHome(course.homes[1])];
  }
  if (earlier === undefined || !course.replica.isPresent) {
    course.end();
    return [];
  }
  const problems = [
    ...(await judgePrimary(course, copyHome(course.homes[0]), earlier[0])),
    ...(await judgeReplica(course, copyHome(course.homes[1]), earlier[1])),
  ];
  course.end();
  return problems;
}

/** What of the promises does not hold, after a loss of power, for the copy of a primary. */
async function judgePrimary(course: Course, home: string, earlier: string): Promise<string[]> {
  const what = damage(home, earlier, course.random).join(', ');
  const problems: string[] = [];
  const check = (isRight: boolean, problem: string): void => {
    if (!isRight) problems.push(`${what}: ${problem}`);
  };
  const held = textsByThemselves(home);
  const node = openNode(home);
  try {
    check(problemOf(node) === '', problemOf(node));
    const texts = new Set(textsIn(home));
    check(
      held.every((text) => texts.has(text)),
      'what the database held is gone',
    );
    check(
      [...texts].every((text) => course.texts.includes(text)),
      'something was made up',
    );
    node.becomePrimary(2);
    // A replica that may have been ahead of what is left.
    const other = openNode(copyHome(course.homes[1]));
    await follow(node, other);
    const app = openApp(home);
    app.exec(`INSERT INTO item (text) VALUES ('after')`);
    node.capture();
    // Where both gave different contents to one transaction, the next one shows it.
    await follow(node, other).catch(() => follow(node, other));
    check(other.digest() === node.digest(), 'the digests differ');
    check(problemOf(node) + problemOf(other) === '', problemOf(node) + problemOf(other));
    app.close();
    other.close();
  } finally {
    node.close();
  }
  return problems;
}

/** The same for the copy of a replica. */
async function judgeReplica(course: Course, home: string, earlier: string): Promise<string[]> {
  const what = damage(home, earlier, course.random).join(', ');
  const problems: string[] = [];
  const check = (isRight: boolean, problem: string): void => {
    if (!isRight) problems.push(`${what}: ${problem}`);
  };
  const node = openNode(home);
  try {
    check(problemOf(node) === '', problemOf(node));
    const { txid } = node.position();
    const isState = txid === 0 || node.digest() === course.digests.get(txid);
    check(isState, `${txid} is no state of the primary`);
    course.primary.capture();
    await follow(course.primary, node);
    check(node.digest() === course.primary.digest(), 'the digests differ');
    check(problemOf(node) === '', problemOf(node));
    // Transactions of which every trace is gone could be anybody's: their files, and the record of where
    // they end in SQLite's log, or that place itself. Files go without `sync: full` alone.
    const hasNoPlace = what.includes('applied') || what.includes('log cut');
    const isTraceless = what.includes('newest files') && hasNoPlace;
    check(isTraceless || quarantineIn(home).list().length === 0, 'it was set aside');
  } finally {
    node.close();
  }
  return problems;
}

describe('R7, R10: after a loss of power', () => {
  test(
    'a primary keeps all that its database holds, a replica is a state of the primary',
    async () => {
      for (let count = 0; count < ROUNDS; count += 1) {
        const seed = SEED + count;
        const problems = await round(new SeededRandom(seed)).catch(String);
        expect({ seed, problems }).toEqual({ seed, problems: [] });
      }
    },
    TIMEOUT_MS,
  );
});
