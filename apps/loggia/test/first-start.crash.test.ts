import { readFileSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import fc from 'fast-check';
import { beforeAll, describe, expect, it, vi } from 'vitest';
import { TestServer, temporaryFolder } from './test-server.ts';

/** Kills at random moments; the soak sets more. */
const ROUNDS = Math.min(Number(process.env['LOGGIA_KILL_ROUNDS'] ?? 6), 40);
/** Kills at steps: a number, or `all` for every moment, as in the soak. */
const KILL_STEPS =
  process.env['LOGGIA_KILL_STEPS'] ??
  (process.env['LOGGIA_KILL_ROUNDS'] === undefined ? '22' : 'all');
const SEED = Number(process.env['FC_SEED'] ?? Date.now() % 2 ** 31);
const ROUND_TIMEOUT_MS = 60_000;
const ALL_STEPS_TIMEOUT_MS = 3_600_000;
const WAIT = { timeout: 30_000, interval: 20 };
const DISK_STEPS = new URL('./disk-steps.ts', import.meta.url);
/**
 * Starts take half the time with code that is compiled already, so it is kept outside the data
 * folders. Those that are killed at random moments do without.
 */
const COMPILED_CODE = temporaryFolder();
const DATABASES = ['journal.db', 'salts.db'] as const;

/** A change of the disk by the server; each thread counts its own from 1. */
interface Step {
  readonly thread: string;
  readonly number: number;
  readonly what: string;
}

interface Moment extends Step {
  readonly when: 'before' | 'after';
}

/** A folder in which a data folder is to be made. */
class Place {
  readonly path = temporaryFolder();
  readonly dataDir = join(this.path, 'data');
  readonly log = `${this.path}.steps`;

  /** The environment in which a server writes its steps down and dies at `moment`. */
  env(moment?: Moment): Readonly<Record<string, string>> {
    const { thread, number, when } = moment ?? {};
    return {
      NODE_COMPILE_CACHE: COMPILED_CODE,
      NODE_OPTIONS: `--import=${DISK_STEPS.href}`,
      DISK_STEP_LOG: this.log,
      ...(moment === undefined ? {} : { DISK_STEP_KILL: `${thread} ${number} ${when}` }),
    };
  }

  /** The steps that servers here have come to. */
  steps(): readonly Step[] {
    const lines = readFileSync(this.log, 'utf8').trimEnd().split('\n');
    return lines.map((line) => {
      const [thread = '', number = '', what = ''] = line.split('\t');
      return { thread, number: Number(number), what };
    });
  }

  [Symbol.dispose](): void {
    rmSync(this.path, { recursive: true, force: true });
    rmSync(this.log, { force: true });
  }
}

/** What a start, a first event and a clean stop leave: files, and what is in the databases. */
interface Remains {
  readonly files: readonly string[];
  readonly databases: readonly unknown[];
}

/** Starts on the data folder and uses everything once. Throws when anything is not as it should. */
async function use({ path, dataDir }: Place, knownLink: string | undefined): Promise<Remains> {
  const server = await TestServer.start({
    dataDir,
    env: { NODE_COMPILE_CACHE: COMPILED_CODE },
  });
  try {
    await becomeReady(server);
    server.addSite('first.example');
    const url = 'https://first.example/';
    const event = await server.sendEvent({ n: 'pageview', u: url, d: 'first.example' });
    expect(event.status).toBe(202);
    const query = { site_id: 'first.example', metrics: ['pageviews'], date_range: 'all' };
    const rows = await server.query(server.addKey('stats:read'), query);
    expect(rows).toEqual([{ dimensions: [], metrics: [1] }]);
    const link = await setupLinkOf(server);
    expect(knownLink ?? link).toBe(link);
    expect([await setUp(server, link), await setUp(server, link)]).toEqual([303, 410]);
    expect(await server.stop()).toEqual({ code: 0, signal: null });
  } finally {
    await server.stop('SIGKILL');
  }
  return remainsOf(path, dataDir);
}

async function becomeReady(server: TestServer): Promise<void> {
  await vi.waitUntil(async () => (await fetch(`${server.url}/readyz`)).ok, WAIT);
}

/** The path of the set-up link, which comes a moment after the server listens. */
async function setupLinkOf(server: TestServer): Promise<string> {
  return await vi.waitUntil(() => printedLink(server.output()), WAIT);
}

function printedLink(output: string): string | undefined {
  return /"setup_url":"http:\/\/[^/]+([^"]+)"/.exec(output)?.[1];
}

async function setUp(server: TestServer, link: string): Promise<number> {
  const token = new URL(link, server.url).searchParams.get('token') ?? '';
  const response = await fetch(`${server.url}/setup`, {
    method: 'POST',
    body: new URLSearchParams({ token, name: 'ada', password: 'correct horse battery staple' }),
    redirect: 'manual',
  });
  return response.status;
}

/** The folder of the cache is left out: it may be deleted at any moment, so nothing is owed to it. */
function remainsOf(path: string, dataDir: string): Remains {
  const files = readdirSync(path, { recursive: true, encoding: 'utf8' })
    .filter((file) => !file.startsWith(join('data', 'cache')))
    .toSorted();
  return { files, databases: DATABASES.map((name) => contentOf(join(dataDir, name))) };
}

function contentOf(path: string): unknown {
  using database = new DatabaseSync(path, { readOnly: true });
  const all = (sql: string) =>
    database
      .prepare(sql)
      .all()
      .map((row) => Object.values(row));
  return {
    soundness: all('PRAGMA integrity_check'),
    version: all('PRAGMA user_version'),
    objects: all('SELECT type, name, sql FROM sqlite_schema ORDER BY type, name'),
  };
}

/** The steps of a first start, in order, and what it leaves when nobody disturbs it. */
async function undisturbed(): Promise<{ steps: readonly Step[]; remains: Remains }> {
  using place = new Place();
  await using server = await TestServer.start({ dataDir: place.dataDir, env: place.env() });
  await becomeReady(server);
  await setupLinkOf(server);
  const steps = place.steps();
  using other = new Place();
  return { steps, remains: await use(other, undefined) };
}

/** Both moments of each step. */
function momentsOf(steps: readonly Step[]): readonly Moment[] {
  return steps.flatMap((step) => [
    { ...step, when: 'before' },
    { ...step, when: 'after' },
  ]);
}

/** One step of each kind in each thread, then others spread evenly, the first and last among them. */
function selection(moments: readonly Moment[], count: number): readonly Moment[] {
  const kinds = Map.groupBy(moments, kindOf);
  const numbers = fc.sample(fc.nat(), { seed: SEED, numRuns: kinds.size });
  const chosen = new Set([moments[0], moments.at(-1)]);
  for (const [index, members] of [...kinds.values()].entries()) {
    chosen.add(members[(numbers[index] ?? 0) % members.length]);
  }
  const spread = Math.max(0, count - chosen.size);
  const offset = (numbers[0] ?? 0) % moments.length;
  for (let index = 0; index < spread; index += 1) {
    const at = offset + Math.floor((index * moments.length) / spread);
    chosen.add(moments[at % moments.length]);
  }
  return moments.filter((moment) => chosen.has(moment));
}

/** The thread, the function and, of SQL, its first word. */
function kindOf({ thread, what }: Step): string {
  const [call = '', , word = ''] = what.split(' ');
  return `${thread} ${call} ${word}`;
}

/** Starts a server that kills itself at `moment`, and returns what it printed. */
async function dieAt(place: Place, moment: Moment): Promise<string> {
  const starting = TestServer.start({ dataDir: place.dataDir, env: place.env(moment) });
  const started = await starting.catch((error: unknown) => String(error));
  const reached = (): Step | undefined =>
    place.steps().findLast(({ thread }) => thread === moment.thread);
  const { thread, number, what } = moment;
  if (typeof started === 'string') {
    expect(started).toContain('ended (SIGKILL) at start');
  } else {
    await using server = started;
    await vi.waitUntil(() => server.process.signalCode === 'SIGKILL', WAIT);
  }
  expect(reached()).toEqual({ thread, number, what });
  return typeof started === 'string' ? started : started.output();
}

describe('a first start', () => {
  let steps: readonly Step[];
  let remains: Remains;
  beforeAll(async () => {
    ({ steps, remains } = await undisturbed());
    return () => rmSync(COMPILED_CODE, { recursive: true, force: true });
  });

  it('leaves two databases and nothing else', () => {
    expect(remains.files).toEqual(['data', 'data/journal.db', 'data/salts.db']);
    expect(remains.databases).toMatchObject([
      { soundness: [['ok']], objects: expect.arrayContaining([expect.anything()]) },
      { soundness: [['ok']] },
    ]);
  });

  it('has the steps that the kills below are about, in three threads', () => {
    expect(steps[0]).toEqual({ thread: 'main', number: 1, what: 'fs.mkdirSync data' });
    expect(new Set(steps.map(({ thread }) => thread))).toEqual(
      new Set(['main', 'writer', 'warehouse']),
    );
    expect(steps.filter(({ what }) => what.endsWith('COMMIT')).length).toBeGreaterThan(4);
  });

  it(
    `that is killed at any step leaves a folder that starts whole (seed ${SEED})`,
    async () => {
      const moments = momentsOf(steps);
      const kills = KILL_STEPS === 'all' ? moments : selection(moments, Number(KILL_STEPS));
      const faults: { moment: string; reason: string }[] = [];
      for (const moment of kills) {
        using place = new Place();
        try {
          const output = await dieAt(place, moment);
          expect(await use(place, printedLink(output))).toEqual(remains);
        } catch (error) {
          const { thread, number, what, when } = moment;
          faults.push({ moment: `${when} ${thread} ${number} ${what}`, reason: String(error) });
        }
      }
      console.log(
        `${kills.length} kills at ${moments.length} moments of ${steps.length} steps, ` +
          `${faults.length} faults`,
      );
      expect(faults).toEqual([]);
    },
    ALL_STEPS_TIMEOUT_MS,
  );

  it(
    `that is killed within a step leaves a folder that starts whole (${ROUNDS} rounds, seed ${SEED})`,
    async () => {
      const delays = fc.sample(fc.integer({ min: 50, max: 1500 }), { seed: SEED, numRuns: ROUNDS });
      for (const delayMs of delays) {
        using place = new Place();
        const attempt = TestServer.start({ dataDir: place.dataDir });
        const timer = setTimeout(() => TestServer.killStarting(place.dataDir), delayMs);
        const output = await attempt.then(
          async (server) => {
            await server.ended;
            return server.output();
          },
          (error: unknown) => String(error),
        );
        clearTimeout(timer);
        expect(await use(place, printedLink(output))).toEqual(remains);
      }
    },
    ROUNDS * ROUND_TIMEOUT_MS,
  );
});
