import { randomBytes } from 'node:crypto';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { setImmediate, setTimeout as pause } from 'node:timers/promises';
import { systemClock } from '@tandem/base';
import { makeNodeIdentity, openLeaseStore, parseLeaseTimings } from '@tandem/lease';
import { ReplicationNode, type AcknowledgementMode } from '@tandem/replication';
import { TANDEM_TOKEN, type TandemNodePlan } from './tandem-node.ts';

const LOOK_MS = 5;
const NODES = 2;

/** A primary within this process, as a program that uses the library has it. */
export interface EmbeddedNode extends AsyncDisposable {
  readonly node: ReplicationNode;
  /** Lets streams and timers have their turn. */
  readonly breathe: () => Promise<void>;
}

/** Starts the primary of `plan` in this process and waits until it is primary. */
export async function embedNode(
  { name, folder, port }: TandemNodePlan,
  { mode, sync }: { readonly mode: AcknowledgementMode; readonly sync: 'none' | 'full' },
): Promise<EmbeddedNode> {
  const advertiseUrl = `http://127.0.0.1:${port}`;
  const bootId = randomBytes(4).toString('hex');
  const self = makeNodeIdentity({ name, bootId, advertiseUrl });
  const node = new ReplicationNode({
    folder: join(folder, 'databases'),
    stateFolder: join(folder, 'state'),
    identity: self,
    store: openLeaseStore({
      kind: 'static',
      self,
      primary: { kind: 'name', name },
      primaryUrl: advertiseUrl,
    }),
    timings: parseLeaseTimings({}),
    clock: systemClock,
    isMeant: () => true,
    journalMode: 'switch',
    busyTimeoutMs: 5000,
    sync,
    checkpointFrames: 300,
    framesMax: 600,
    isCandidate: true,
    isFailsafe: false,
    isSharedInProcess: true,
    clusterSize: NODES,
    acknowledge: { mode, timeoutMs: 60_000, onTimeout: 'block' },
    onClusterMismatch: 'refuse',
    access: { tokens: [TANDEM_TOKEN] },
    token: TANDEM_TOKEN,
    retention: { ageMaxMs: 86_400_000, bytesMax: 2 ** 40 },
    log: (level, message, facts) => {
      if (level === 'warn') process.stderr.write(`${message} ${JSON.stringify(facts)}\n`);
    },
  });
  const server = createServer((_request, answer) => answer.end(JSON.stringify(node.report())));
  server.on('upgrade', (request, socket, head) => {
    if (!node.handleUpgrade(request, socket, head)) socket.destroy();
  });
  const { promise, resolve } = Promise.withResolvers<void>();
  server.listen(port, '127.0.0.1', () => resolve());
  await promise;
  node.start();
  while (!node.isPrimaryNow()) await pause(LOOK_MS);
  return {
    node,
    breathe: async () => {
      await setImmediate();
    },
    [Symbol.asyncDispose]: async () => {
      await node.stop();
      server.closeAllConnections();
      server.close();
    },
  };
}
