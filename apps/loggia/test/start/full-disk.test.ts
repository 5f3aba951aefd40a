import { closeSync, mkdirSync, openSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { expect, it, type TestContext } from 'vitest';
import { TestServer } from '../test-server.ts';
import { Mounts } from './mounts.ts';
import { expectWorking, sendPageview } from './proof.ts';
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

  /** Where this process finds the data folder. */
  get path(): string {
    return this.#mounts.outside(this.#dataDir);
  }

  get options() {
    const { under } = this.#mounts;
    return { dataDir: this.#dataDir, visibleDataDir: this.path, under };
  }

  /** Takes all the space there is, to the last block. */
  fill(): void {
    const file = openSync(join(this.path, 'ballast'), 'a');
    for (const block = Buffer.alloc(65_536); block.length > 0;) {
      try {
        if (writeSync(file, block) < block.length) break;
      } catch (error) {
        expect((error as NodeJS.ErrnoException).code).toBe('ENOSPC');
        break;
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
  let accepted = 0;
  {
    await using server = await TestServer.start({
      ...disk.options,
      env: { LOGGIA_RATE_LIMITS: 'off' },
    });
    expect((await sendPageview(server)).status).toBe(202);
    const key = server.addKey('stats:read');
    accepted = 1;
    disk.fill();
    const refusal = await firstRefusal(server, () => (accepted += 1));
    expect(refusal.status).toBe(503);
    expect(Number(refusal.headers.get('retry-after'))).toBeGreaterThan(0);
    expect(await refusal.json()).toMatchObject({ code: 'storage_full' });
    expect(await pageviewsOf(server, key)).toBe(accepted);
    expect((await server.ask('GET', '/livez')).status).toBe(200);

    disk.makeRoom();
    expect((await send(server)).status).toBe(202);
    accepted += 1;
    expect(await pageviewsOf(server, key)).toBe(accepted);
    expect(await server.stop()).toEqual({ code: 0, signal: null });
  }
  using database = new DatabaseSync(join(disk.path, 'journal.db'));
  expect(database.prepare('PRAGMA integrity_check').get()).toEqual({ integrity_check: 'ok' });
  database.close();
  await using server = await TestServer.start(disk.options);
  await expectWorking(server, accepted);
});

it('a server that stops on a full disk ends with 0, and starts there or says why not', async (context) => {
  using disk = await SmallDisk.make(context);
  {
    await using server = await TestServer.start(disk.options);
    expect((await sendPageview(server)).status).toBe(202);
    disk.fill();
    expect(await server.stop()).toEqual({ code: 0, signal: null });
  }
  disk.fill();
  const { code, output } = await TestServer.refusal(disk.options);
  expect(code).toBe(1);
  expect(output).toContain('no space is left');
  disk.makeRoom();
  await using server = await TestServer.start(disk.options);
  await expectWorking(server, 1);
});

it('a first start on a full disk says so, and succeeds when there is room', async (context) => {
  using disk = await SmallDisk.make(context);
  disk.fill();
  const { code, output } = await TestServer.refusal(disk.options);
  expect(code).toBe(1);
  expect(output).toContain('no space is left');
  disk.makeRoom();
  await using server = await TestServer.start(disk.options);
  await expectWorking(server);
});

function send(server: TestServer): Promise<Response> {
  return server.sendEvent({
    n: 'pageview',
    u: `https://start.example/?utm_campaign=${'x'.repeat(200)}`,
    d: 'start.example',
  });
}

/** The answer to the first event that is not accepted. */
async function firstRefusal(server: TestServer, onAccepted: () => void): Promise<Response> {
  for (let count = 0; count < EVENTS_MAX; count += 1) {
    const response = await send(server);
    if (response.status !== 202) return response;
    onAccepted();
  }
  throw new Error(`The disk took ${EVENTS_MAX} events more.`);
}

/** As `countPageviews`, with a key that was made while there was room. */
async function pageviewsOf(server: TestServer, key: string): Promise<number> {
  const query = { site_id: 'start.example', metrics: ['pageviews'], date_range: 'all' };
  const [row] = await server.query(key, query);
  return Number(row?.metrics[0]);
}
