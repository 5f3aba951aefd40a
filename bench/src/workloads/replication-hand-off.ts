import { DatabaseSync } from 'node:sqlite';
import { setTimeout as pause } from 'node:timers/promises';
import { SteadyWriters, type WriteAnswer } from '../load/steady-writers.ts';
import { EtcdProcess } from '../processes/etcd-process.ts';
import { createItems } from '../processes/item-table.ts';
import { TandemSite } from '../processes/tandem-site.ts';
import { measurementOf } from '../spread.ts';
import { defineWorkload, type BenchContext, type Measurement } from '../workload.ts';

type Sites = readonly [TandemSite, TandemSite];

interface HandOff {
  readonly durationMs: number;
  readonly longestMs: number;
  readonly failed: number;
  readonly answered: number;
}

/** Clients of each proxy. */
const WRITERS = 4;
const LEASE_MS = 5000;
const SETTLE_MS = 1500;
const FAIL_OVER_MS_MAX = 60_000;
const LOOK_MS = 5;
const HTTP_OK = 200;

/** What clients notice when the primary changes. */
export const replicationHandOff = defineWorkload({
  name: 'replication-hand-off',
  summary: 'writes through the proxies during hand-offs and after SIGKILL of the primary',
  setUp: async (context, stack): Promise<Sites> => {
    const etcd = stack.use(await EtcdProcess.start(context));
    const common = { etcdUrl: etcd.url, leaseMs: LEASE_MS };
    const first = await TandemSite.open(context, stack, { name: 'one', ...common });
    const second = await TandemSite.open(context, stack, { name: 'two', ...common });
    createItems(first.path);
    for (const site of [first, second]) await site.start();
    return [first, second];
  },
  measure: async (sites, context) => {
    const handOffs = await repeatHandOffs(sites, context);
    return [...handOffMeasurements(handOffs), await measureFailOvers(sites, context)];
  },
});

async function repeatHandOffs(sites: Sites, context: BenchContext): Promise<HandOff[]> {
  const rounds = context.quick ? 2 : 10;
  const handOffs: HandOff[] = [];
  for (let round = 0; round < rounds; round += 1) {
    const handOff = await handOffUnderLoad(sites, context);
    const { durationMs, longestMs, failed } = handOff;
    const times = `${Math.round(durationMs)} ms, longest write ${Math.round(longestMs)} ms`;
    context.note(`hand-off: ${times}, ${failed} failed`);
    handOffs.push(handOff);
  }
  return handOffs;
}

/** Clients of both proxies write before, during and after it. */
async function handOffUnderLoad(sites: Sites, { note }: BenchContext): Promise<HandOff> {
  const [primary, replica] = await inOrder(sites);
  const writers = new SteadyWriters([primary.proxyPort, replica.proxyPort], WRITERS);
  await pause(SETTLE_MS);
  const startMs = performance.now();
  await primary.node.handOff();
  const durationMs = performance.now() - startMs;
  await pause(SETTLE_MS);
  await writers.stop();
  const { answers } = writers;
  mustHold(replica.path, answers);
  const waitedMs = answers
    .filter(({ answeredMs }) => answeredMs >= startMs)
    .map(({ sentMs, answeredMs }) => answeredMs - sentMs);
  const failures = answers.filter(({ status }) => status !== HTTP_OK);
  for (const { status, text } of failures.slice(0, 1)) note(`a write failed: ${status} ${text}`);
  const failed = failures.length;
  return { durationMs, longestMs: Math.max(...waitedMs), failed, answered: answers.length };
}

function handOffMeasurements(handOffs: readonly HandOff[]): Measurement[] {
  const parameters = { writers: 2 * WRITERS };
  const sum = (read: (each: HandOff) => number): number =>
    handOffs.reduce((total, each) => total + read(each), 0);
  const failures = {
    measure: 'failed requests around hand-offs',
    value: sum(({ failed }) => failed),
    unit: 'requests',
    parameters: { ...parameters, requests: sum(({ answered }) => answered) },
  } as const;
  return [
    measurementOf(
      { measure: 'hand-off', unit: 'ms', parameters },
      handOffs.map(({ durationMs }) => durationMs),
    ),
    measurementOf(
      { measure: 'longest write around it', unit: 'ms', parameters },
      handOffs.map(({ longestMs }) => longestMs),
    ),
    failures,
  ];
}

/** From the death of the primary's daemon until the other proxy answers a write. */
async function measureFailOvers(sites: Sites, context: BenchContext): Promise<Measurement> {
  const rounds = context.quick ? 1 : 5;
  const timesMs: number[] = [];
  for (let round = 0; round < rounds; round += 1) {
    const [primary, replica] = await inOrder(sites);
    const writers = new SteadyWriters([replica.proxyPort], WRITERS);
    await pause(SETTLE_MS);
    const startMs = performance.now();
    await primary.node.kill();
    timesMs.push(await untilAnswered(writers, startMs));
    context.note(`fail-over: ${Math.round(timesMs.at(-1) ?? 0)} ms`);
    await writers.stop();
    await primary.start();
  }
  const parameters = { lease_ms: LEASE_MS };
  return measurementOf({ measure: 'fail-over', unit: 'ms', parameters }, timesMs);
}

async function untilAnswered(writers: SteadyWriters, fromMs: number): Promise<number> {
  for (;;) {
    const answer = writers.since(fromMs).find(({ status }) => status === HTTP_OK);
    if (answer !== undefined) return answer.answeredMs - fromMs;
    if (performance.now() - fromMs > FAIL_OVER_MS_MAX) throw new Error('Nobody takes over.');
    await pause(LOOK_MS);
  }
}

/** The primary first. */
async function inOrder([first, second]: Sites): Promise<Sites> {
  return (await first.node.isPrimary()) ? [first, second] : [second, first];
}

/** Every write that was answered well is in the database, once. */
function mustHold(path: string, answers: readonly WriteAnswer[]): void {
  using database = new DatabaseSync(path, { readOnly: true, timeout: 5000 });
  const count = database.prepare('SELECT count(*) AS n FROM item WHERE at = ?');
  for (const { number, status } of answers) {
    if (status !== HTTP_OK) continue;
    const found = Number(count.get(number)?.['n']);
    if (found !== 1) throw new Error(`Write ${number} is in the database ${found} times.`);
  }
}
