import { closeSync, copyFileSync, mkdirSync, openSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { expect, it, type TestContext } from 'vitest';
import { TestServer } from '../test-server.ts';
import { Mounts } from './mounts.ts';
import { countPageviews, makeSite, sendPageview, success, trial, tryPageview } from './proof.ts';
import { WorkFolder } from './surroundings.ts';

const EVENTS_MAX = 5000;

/** A data folder on a small disk of its own. */
class SmallDisk {
  readonly #folder: WorkFolder;
  readonly #dataDir: string;
  readonly #mounts: Mounts;

  private constructor(folder: WorkFolder, dataDir: string, mounts: Mounts) {
    this.#folder = folder;
    this.#dataDir = dataDir;
    this.#mounts = mounts;
  }

  static async make(context: TestContext): Promise<SmallDisk> {
    const folder = new WorkFolder();
    const dataDir = join(folder.path, 'data');
    mkdirSync(dataDir);
    const script = `mount -t tmpfs -o size=24m tmpfs ${dataDir}`;
    return new SmallDisk(folder, dataDir, await Mounts.make(context, script));
  }

  /** A folder on another disk. */
  get scratch(): string {
    return this.#folder.path;
  }

  /** Where this process finds the data folder. */
  get path(): string {
    return this.#mounts.outside(this.#dataDir);
  }

  get options() {
    const { under } = this.#mounts;
    return { dataDir: this.#dataDir, under };
  }

  /** Takes all the space there is, to the last block. */
  fill(): void {
    const file = openSync(join(this.path, 'ballast'), 'a');
    for (const block = Buffer.alloc(65_536); block.length > 0;) {
      try {
        if (writeSync(file, block) < block.length) break;
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === 'ENOSPC') break;
        throw error;
      }
    }
    closeSync(file);
  }

  makeRoom(): void {
    rmSync(join(this.path, 'ballast'));
  }

  [Symbol.dispose](): void {
    this.#mounts[Symbol.dispose]();
    this.#folder[Symbol.dispose]();
  }
}

it('a disk that fills up costs nothing that was accepted, and the server goes on by itself', async (context) => {
  using disk = await SmallDisk.make(context);
  let pageviews = 0;
  let key = '';
  {
    const env = { LOGGIA_RATE_LIMITS: 'off' };
    await using server = await TestServer.start({ ...disk.options, env });
    key = makeSite(server, disk.options.under);
    disk.fill();
    // The first event of a day needs a salt, which has a database of its own.
    await expectStorageFull(await tryPageview(server));
    disk.makeRoom();
    await sendPageview(server);
    disk.fill();
    pageviews = 1 + (await sendUntilRefused(server));
    await expectStorageFull(await tryPageview(server));
    expect(await countPageviews(server, key)).toBe(pageviews);
    expect((await server.ask('GET', '/livez')).status).toBe(200);

    disk.makeRoom();
    await sendPageview(server);
    pageviews += 1;
    expect(await countPageviews(server, key)).toBe(pageviews);
    expect(await server.stop()).toEqual({ code: 0, signal: null });
  }
  const copy = join(disk.scratch, 'journal.db');
  copyFileSync(join(disk.path, 'journal.db'), copy);
  using database = new DatabaseSync(copy);
  expect(database.prepare('PRAGMA integrity_check').get()).toEqual({ integrity_check: 'ok' });
  await using server = await TestServer.start(disk.options);
  expect(await trial(server, key)).toEqual(success(pageviews + 1));
});

it('a server stops with 0 on a full disk, and starts there or says why not', async (context) => {
  using disk = await SmallDisk.make(context);
  let key = '';
  {
    await using server = await TestServer.start(disk.options);
    key = makeSite(server, disk.options.under);
    await sendPageview(server);
    disk.fill();
    expect(await server.stop()).toEqual({ code: 0, signal: null });
  }
  disk.fill();
  await expectStartOrSentence(disk);
  disk.makeRoom();
  await using server = await TestServer.start(disk.options);
  expect(await trial(server, key)).toEqual(success(2));
});

it('a first start on a full disk says so, and succeeds when there is room', async (context) => {
  using disk = await SmallDisk.make(context);
  disk.fill();
  const { code, output } = await TestServer.refusal(disk.options);
  expect({ code, output }).toEqual({
    code: 1,
    output: expect.stringMatching(/^loggia: no space is left for \S+\nFree some space .*\n$/),
  });
  disk.makeRoom();
  await using server = await TestServer.start(disk.options);
  const key = makeSite(server, disk.options.under);
  expect(await trial(server, key)).toEqual(success(1));
});

async function expectStorageFull(answer: Response): Promise<void> {
  expect(answer.status).toBe(503);
  expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(0);
  expect(await answer.json()).toMatchObject({ code: 'storage_full' });
}

/** Whether the last free block suffices for SQLite's index of the log is the disk's business. */
async function expectStartOrSentence(disk: SmallDisk): Promise<void> {
  const outcome = await TestServer.start(disk.options).then(
    async (server) => `started, ended ${(await server.stop()).code}`,
    (error: unknown) => String(error),
  );
  expect(outcome).toMatch(
    /^started, ended 0$|\(1\) at start\.\nloggia: no space is left for \S+\n/,
  );
}

/** Sends page views until one is refused, and says how many were taken. */
async function sendUntilRefused(server: TestServer): Promise<number> {
  for (let count = 0; count < EVENTS_MAX; count += 1) {
    if ((await tryPageview(server)).status !== 202) return count;
  }
  throw new Error(`The disk took ${EVENTS_MAX} events more.`);
}
