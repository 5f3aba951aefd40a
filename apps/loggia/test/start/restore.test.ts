import { randomBytes } from 'node:crypto';
import {
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { TestServer } from '../test-server.ts';
import { addSite, sendPageview, success, trial } from './proof.ts';
import { WorkFolder } from './surroundings.ts';

const work = new WorkFolder();
/** As a clean stop leaves it, with one page view. */
const stopped = join(work.path, 'stopped');
/** As a kill leaves it, with two page views, of which the second may be in the log only. */
const killed = join(work.path, 'killed');

beforeAll(async () => {
  const server = await TestServer.start({ dataDir: stopped });
  await trial(server);
  cpSync(stopped, killed, { recursive: true });
  const other = await TestServer.start({ dataDir: killed });
  addSite(other);
  await sendPageview(other);
  await other.stop('SIGKILL');
});
afterAll(() => work[Symbol.dispose]());

let copies = 0;

/** A copy of a data folder for one test. */
function copyOf(folder: string): string {
  const copy = join(work.path, `copy-${(copies += 1)}`);
  cpSync(folder, copy, { recursive: true });
  return copy;
}

/** What a server says that does not start on `dataDir`, and whether it left the files alone. */
async function refusalOn(dataDir: string): Promise<unknown> {
  const before = contentsOf(dataDir);
  const { code, output } = await TestServer.refusal({ dataDir });
  return { code, output, isUntouched: isDeepStrictEqual(contentsOf(dataDir), before) };
}

/** One sentence with `words` in it, a hint, and nothing changed. */
function clearRefusal(words: string): unknown {
  const output = expect.stringMatching(new RegExp(`^loggia: [^\\n]*${words}[^\\n]*\\n[^\\n]+\\n$`));
  return { code: 1, output, isUntouched: true };
}

/** The files that matter, without what SQLite makes anew at each opening. */
function contentsOf(dataDir: string): Record<string, string> {
  const names = readdirSync(dataDir).filter((name) =>
    /^(?:journal|salts)\.db(?:-wal)?$/.test(name),
  );
  return Object.fromEntries(
    names.map((name) => [name, readFileSync(join(dataDir, name)).toString('base64')]),
  );
}

it('a folder that was killed has everything', async () => {
  const dataDir = copyOf(killed);
  expect(statSync(join(dataDir, 'journal.db-wal')).size).toBeGreaterThan(0);
  await using server = await TestServer.start({ dataDir });
  expect(await trial(server)).toEqual(success(3));
});

it('a journal without its log has what was in the file', async () => {
  const dataDir = copyOf(killed);
  rmSync(join(dataDir, 'journal.db-wal'));
  await using server = await TestServer.start({ dataDir });
  expect(await trial(server)).toEqual(success(2));
});

it('a journal of which half was copied is refused and left alone', async () => {
  const dataDir = copyOf(stopped);
  const path = join(dataDir, 'journal.db');
  truncateSync(path, Math.floor(statSync(path).size / 2));
  expect(await refusalOn(dataDir)).toEqual(clearRefusal(`${path} is damaged or not a database`));
});

it('a journal that is something else is refused and left alone', async () => {
  const dataDir = copyOf(stopped);
  const path = join(dataDir, 'journal.db');
  writeFileSync(path, randomBytes(16_384));
  expect(await refusalOn(dataDir)).toEqual(clearRefusal(`${path} is damaged or not a database`));
});

it.each(['empty', 'missing'])(
  'a journal that is %s beside a log with content is refused, and the log left alone',
  async (state) => {
    const dataDir = copyOf(killed);
    const path = join(dataDir, 'journal.db');
    if (state === 'empty') truncateSync(path, 0);
    else rmSync(path);
    expect(await refusalOn(dataDir)).toEqual(clearRefusal(`${path}-wal`));
  },
);

it('the remains of a log with no content do no harm', async () => {
  const dataDir = copyOf(stopped);
  copyFileSync(join(killed, 'journal.db-shm'), join(dataDir, 'journal.db-shm'));
  writeFileSync(join(dataDir, 'journal.db-wal'), '');
  await using server = await TestServer.start({ dataDir });
  expect(await trial(server)).toEqual(success(2));
});

it('the log of another time, damaged in copying, does no harm', async () => {
  const dataDir = copyOf(stopped);
  writeFileSync(join(dataDir, 'journal.db-wal'), randomBytes(32_768));
  writeFileSync(join(dataDir, 'journal.db-shm'), randomBytes(32_768));
  await using server = await TestServer.start({ dataDir });
  expect(await trial(server)).toEqual(success(2));
});

it.each([
  ['garbage', (path: string) => writeFileSync(path, randomBytes(8192))],
  ['cut in half', (path: string) => truncateSync(path, Math.floor(statSync(path).size / 2))],
])('salts that are %s are set aside', async (_state, damage) => {
  const dataDir = copyOf(stopped);
  const path = join(dataDir, 'salts.db');
  damage(path);
  const damaged = readFileSync(path);
  await using server = await TestServer.start({ dataDir });
  expect(server.output()).toContain('salts.db was unreadable');
  expect(readFileSync(join(dataDir, 'quarantine', 'salts.db.1'))).toEqual(damaged);
  expect(await trial(server)).toEqual(success(2));
});

it('a journal without salts works', async () => {
  const dataDir = copyOf(stopped);
  rmSync(join(dataDir, 'salts.db'));
  await using server = await TestServer.start({ dataDir });
  expect(await trial(server)).toEqual(success(2));
  expect(existsSync(join(dataDir, 'salts.db'))).toBe(true);
});

it('what a tool for backups left in the folder is no obstacle', async () => {
  const dataDir = copyOf(stopped);
  mkdirSync(join(dataDir, 'lost+found'));
  writeFileSync(join(dataDir, '.journal.db.partial'), 'x');
  await using server = await TestServer.start({ dataDir });
  expect(await trial(server)).toEqual(success(2));
});
