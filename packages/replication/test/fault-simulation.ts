import { setTimeout as sleep } from 'node:timers/promises';
import type { AcknowledgementMode } from '../src/index.ts';
import type { SimAudit, SimStatus } from './fault-app.ts';
import { DATABASES, readStates, writeRows } from './fault-clients.ts';
import { Ledger, type LedgerCounts } from './fault-ledger.ts';
import { doMischief } from './fault-mischief.ts';
import { SeededRandom } from './fault-random.ts';
import { NAMES, World, type Name, type SimNode } from './fault-world.ts';

export interface SimulationOptions {
  readonly seed: number;
  readonly durationMs: number;
  /**
   * - `one`: one thing is wrong at a time, so that what one replica confirmed is safe;
   * - `many`: several are, and only what a majority confirmed is.
   */
  readonly troubles: 'one' | 'many';
  readonly makeNode: () => Promise<SimNode>;
}

export interface SimulationOutcome {
  readonly violations: readonly string[];
  readonly counts: LedgerCounts;
  /** What happened, and the ends of the logs when something was wrong. */
  readonly story: readonly string[];
}

const WRITERS = 4;
const READERS = 2;
const TROUBLES_AT_ONCE = 3;
const HEAL_MS_MAX = 30_000;
const LOOK_MS = 50;
const LINES_OF_LOG = 60;

/** Three nodes under faults, with clients; everything heals in the end and is judged. */
export async function simulate(options: SimulationOptions): Promise<SimulationOutcome> {
  const { seed, durationMs, troubles, makeNode } = options;
  const random = new SeededRandom(seed);
  const acknowledge: AcknowledgementMode = troubles === 'many' ? 'majority' : 'one';
  const world = await World.make({ makeNode, acknowledge, isFailsafe: random.isWithin(0.5) });
  const ledger = new Ledger();
  const startMs = performance.now();
  const story: string[] = [];
  const note = (what: string): void => {
    story.push(`${Math.round(performance.now())} ${what}`);
  };
  try {
    note(`begins with seed ${seed}`);
    await Promise.all(NAMES.map((name) => world.start(name)));
    await inStep(world, ledger, true);
    await makeDatabases(world);
    const ending = new AbortController();
    const { signal } = ending;
    const common = { world, ledger, signal };
    const clients = [
      ...Array.from({ length: WRITERS }, (_, number) =>
        writeRows({ ...common, number, random: random.fork() }),
      ),
      ...Array.from({ length: READERS }, (_, number) =>
        readStates({ ...common, number, random: random.fork() }),
      ),
    ];
    const atOnce = troubles === 'many' ? TROUBLES_AT_ONCE : 1;
    const mischief = doMischief({ ...common, random: random.fork(), atOnce, note });
    await sleep(durationMs);
    ending.abort();
    // What was asked of a node that is paused is answered only then.
    for (const node of world.nodes.values()) node.resume();
    await mischief;
    note('everything heals');
    await heal(world);
    await soon(Promise.all(clients), 'clients end');
    await inStep(world, ledger, false);
    const audits = new Map<string, SimAudit>();
    for (const [name, node] of world.nodes) audits.set(name, await node.audit());
    ledger.judge(audits, troubles === 'many' ? ['majority'] : ['one', 'majority']);
    note(`ends after ${Math.round(performance.now() - startMs)} ms`);
    if (ledger.violations.length > 0) {
      for (const [name, audit] of audits) {
        for (const { ids: _, ...database } of audit.databases) {
          story.push(`${name}: ${JSON.stringify(database)}`);
        }
        story.push(`${name}: ${JSON.stringify(audit.quarantine)}`);
      }
    }
  } catch (error) {
    ledger.violate(error instanceof Error ? (error.stack ?? error.message) : String(error));
  } finally {
    if (ledger.violations.length > 0) {
      for (const { logged } of world.nodes.values()) story.push(...logged.slice(-LINES_OF_LOG));
    }
    await world.close();
  }
  return { violations: ledger.violations, counts: ledger.counts, story: story.toSorted(byTime) };
}

const byTime = (a: string, b: string): number => Number.parseInt(a, 10) - Number.parseInt(b, 10);

async function soon(done: Promise<unknown>, what: string): Promise<void> {
  const { promise, reject } = Promise.withResolvers<never>();
  const late = new Error(`not within ${HEAL_MS_MAX / 1000} s: ${what}`);
  const timer = setTimeout(() => reject(late), HEAL_MS_MAX);
  await Promise.race([done, promise]).finally(() => clearTimeout(timer));
}

async function heal(world: World): Promise<void> {
  world.heal();
  for (const [name, node] of world.nodes) {
    node.resume();
    if (node.isUp) await node.act({ kind: 'free-disk' });
    else await world.start(name);
  }
}

async function makeDatabases(world: World): Promise<void> {
  const primary = await primaryOf(world);
  for (const database of DATABASES) {
    const said = await primary.act({ kind: 'create', database });
    if (said !== 'done') throw new Error(said);
  }
  for (const database of DATABASES) {
    const request = { database, rows: 1, payloadBytes: 10, mode: 'majority', holdMs: 0 } as const;
    const result = await primary.write({ ...request, firstId: 900_000_000 });
    if (result.kind !== 'confirmed') throw new Error(`the first write was ${result.kind}`);
  }
}

async function primaryOf(world: World): Promise<SimNode> {
  for (const node of world.nodes.values()) {
    if ((await node.status())?.isPrimary === true) return node;
  }
  throw new Error('there is no primary');
}

/** Waits until one node is primary and all have the same. */
async function inStep(world: World, ledger: Ledger, isBeginning: boolean): Promise<void> {
  const endMs = performance.now() + HEAL_MS_MAX;
  let statuses: [Name, SimStatus | undefined][] = [];
  while (performance.now() < endMs) {
    const entries = [...world.nodes];
    statuses = await Promise.all(
      entries.map(async ([name, node]): Promise<[Name, SimStatus | undefined]> => [
        name,
        await node.status(),
      ]),
    );
    const primaries = statuses.filter(([, status]) => status?.isPrimary === true);
    const digests = statuses.map(([, status]) => JSON.stringify(sorted(status?.digests)));
    const areEqual = digests.every((each) => each === digests[0]);
    const isThere = isBeginning || digests[0] !== '[]';
    if (primaries.length === 1 && areEqual && isThere) return;
    await sleep(LOOK_MS);
  }
  ledger.violate(`not in step after ${HEAL_MS_MAX} ms: ${JSON.stringify(statuses)}`);
}

function sorted(digests: Readonly<Record<string, string>> = {}): [string, string][] {
  return Object.entries(digests).toSorted(([a], [b]) => (a < b ? -1 : 1));
}
