import { parentPort, workerData } from 'node:worker_threads';
import { assert } from '@tandem/base';
import type { LeaseClock } from './lease-clock.ts';
import { LeaseKeeper } from './lease-keeper.ts';
import type { LeaseWorkerStart } from './lease-thread.ts';
import type { NodeIdentity } from './node-identity.ts';
import { openLeaseStore } from './store-config.ts';
import { TermCell } from './term-cell.ts';
import { encodeFailure, ThreadLink } from './thread-link.ts';

/** The thread in which `LeaseThread` keeps a lease. */
assert(parentPort !== null, 'the lease worker runs in a worker thread');
const port = parentPort;
await keepLease(workerData as LeaseWorkerStart);
port.close();

async function keepLease(start: LeaseWorkerStart): Promise<void> {
  const { self, timings, isCandidate, mayLeadUnlisted, isFailsafe, silenceMaxMs } = start;
  const cell = new TermCell(start.buffer);
  const clock: LeaseClock = {
    monotonicMs: () => Number(process.hrtime.bigint()) / 1e6 - start.clockOffsetMs,
    wallMs: () => Date.now(),
  };
  const store = openLeaseStore(start.store, clock);
  const end = new AbortController();
  const drain = async (): Promise<boolean> => (await link.ask('drain')) === true;
  const link = new ThreadLink(port, {
    stop: () => end.abort(),
    candidate: (is: boolean) => keeper.setCandidate(is),
    promise: ({ epoch, untilMs }: { epoch: number; untilMs: number }) =>
      keeper.promiseNotToAcquire(epoch, untilMs),
    members: (members: readonly NodeIdentity[]) => keeper.recordMembers(members),
    'hand-off': (successorName: string) => keeper.handOff(successorName, drain),
    'step-down': () => keeper.stepDown(async () => void (await drain())),
  });
  const keeper = new LeaseKeeper({
    store,
    self,
    timings,
    isCandidate,
    mayLeadUnlisted,
    demoteDelayMs: start.demoteDelayMs,
    clock,
    epochFloor: async () => Number(await link.ask('epoch-floor')),
    mayLead: async (view) => (await link.ask('may-lead', view)) === true,
    ...(isFailsafe
      ? { askPeers: async (question) => (await link.ask('ask-peers', question)) === true }
      : {}),
    mayRenew: () => clock.monotonicMs() - cell.lastBeatMs < silenceMaxMs,
    onWindow: (window) => cell.publish(window),
    onChange: (change) => link.tell('change', change),
    onView: (view) => link.tell('view', view),
    onError: (error) => link.tell('error', encodeFailure(error)),
  });
  await keeper.run(end.signal);
  await store.close();
}
