import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { json } from 'node:stream/consumers';
import { systemClock } from '@tandem/base';
import { type LeaseStore, type NodeIdentity, parseLeaseTimings } from '@tandem/lease';
import {
  PEER_FAILSAFE_PATH,
  PEER_POSITION_PATH,
  ReplicationNode,
  type ReplicationNodeOptions,
} from '../src/index.ts';
import { actingAs, mustBeKnown, routeHost } from './fault-network.ts';
import { FaultProxy, type LinkMode } from './fault-proxy.ts';

/** How a test node gets its lease. */
export type MakeStore = (identity: NodeIdentity) => LeaseStore;

export interface TestNode {
  readonly node: ReplicationNode;
  readonly folder: string;
  readonly url: string;
  readonly logged: string[];
  /** Ends the node in an orderly way; its folder stays. */
  readonly stop: () => Promise<void>;
}

export interface TestNodeOptions {
  readonly server?: Server;
  /** The others reach this node, and it them, by these links alone. */
  readonly links?: TestLinks;
}

export const TEST_TIMINGS = parseLeaseTimings({ durationMs: 3000, retryMs: 250 });
export const TOKEN = 'a-token-for-tests-0123456789';

/** Nodes in one process, each with its folder and HTTP server on a free port of the loopback. */
export class TestCluster {
  readonly #folder = mkdtempSync(join(tmpdir(), 'cluster-'));
  readonly #nodes = new Set<TestNode>();

  folderOf(name: string): string {
    return join(this.#folder, name);
  }

  /** Starts a node, on the folder it had before if there is one of that name. */
  async start(
    name: string,
    makeStore: MakeStore,
    options: Partial<ReplicationNodeOptions> & TestNodeOptions = {},
  ): Promise<TestNode> {
    const { server = createServer(), links, ...rest } = options;
    if (!server.listening) {
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    }
    const { port } = server.address() as AddressInfo;
    links?.lead(name, port);
    const url = `http://${links?.hostOf(name) ?? `127.0.0.1:${port}`}`;
    const identity = { id: `${name}-${Math.random()}`, name, advertiseUrl: url };
    const logged: string[] = [];
    const folder = this.folderOf(name);
    const plain = new ReplicationNode({
      folder: join(folder, 'databases'),
      stateFolder: join(folder, 'state'),
      identity,
      store: makeStore(identity),
      timings: TEST_TIMINGS,
      clock: systemClock,
      isMeant: () => true,
      journalMode: 'switch',
      busyTimeoutMs: 2000,
      sync: 'none',
      checkpointFrames: 200,
      framesMax: 2000,
      isCandidate: true,
      isFailsafe: false,
      clusterSize: 3,
      acknowledge: { mode: 'none', timeoutMs: 5000, onTimeout: 'block' },
      onClusterMismatch: 'set-aside',
      access: { tokens: [TOKEN] },
      token: TOKEN,
      retention: { ageMaxMs: 600_000, bytesMax: 1 << 30 },
      log: (level, message, facts) => logged.push(`${level} ${message} ${JSON.stringify(facts)}`),
      ...rest,
    });
    const node = actingAs(name, plain);
    server.on('upgrade', (request, socket, head) => {
      if (!node.handleUpgrade(request, socket, head)) socket.destroy();
    });
    server.on('request', (request, response) => void answerPeer(node, request, response));
    node.start();
    let isStopped = false;
    const started: TestNode = {
      node,
      folder: join(folder, 'databases'),
      url,
      logged,
      stop: async () => {
        if (isStopped) return;
        isStopped = true;
        this.#nodes.delete(started);
        await node.stop();
        server.closeAllConnections();
        await new Promise<void>((resolve) => server.close(() => resolve()));
      },
    };
    this.#nodes.add(started);
    return started;
  }

  async close(): Promise<void> {
    await Promise.all([...this.#nodes].map(({ stop }) => stop()));
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

/** Links between nodes, so that each can be cut on its own. */
export class TestLinks {
  readonly #ports = new Map<string, number>();
  readonly #proxies = new Map<string, FaultProxy>();
  readonly #unroute: (() => void)[] = [];

  /** Puts a link between any two of the nodes of these names. */
  static async between(names: readonly string[]): Promise<TestLinks> {
    const links = new TestLinks();
    for (const to of names) {
      for (const from of names) {
        if (from === to) continue;
        const proxy = await FaultProxy.before(() => links.#ports.get(to) ?? 1);
        links.#proxies.set(`${from} ${to}`, proxy);
      }
      const portOf = (from: string | undefined): number =>
        links.#proxies.get(`${mustBeKnown(from)} ${to}`)?.port ?? links.#ports.get(to) ?? 1;
      links.#unroute.push(routeHost(links.hostOf(to), portOf));
    }
    return links;
  }

  /** Where the others find the node of that name. */
  hostOf(name: string): string {
    return `${name}.links.sim`;
  }

  /** The links to the node of that name lead here. */
  lead(name: string, port: number): void {
    this.#ports.set(name, port);
  }

  /** Between two nodes, in both directions. */
  set(a: string, b: string, mode: LinkMode): void {
    this.#proxies.get(`${a} ${b}`)?.set(mode);
    this.#proxies.get(`${b} ${a}`)?.set(mode);
  }

  async close(): Promise<void> {
    for (const proxy of this.#proxies.values()) await proxy.close();
    for (const unroute of this.#unroute) unroute();
  }
}

/** What a node answers to others over HTTP; false when the request is for something else. */
export async function answerPeer(
  node: ReplicationNode,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<boolean> {
  if (request.url === PEER_POSITION_PATH) {
    response.writeHead(200).end(JSON.stringify(node.report()));
  } else if (request.url === PEER_FAILSAFE_PATH) {
    const { epoch, durationMs } = Object(await json(request)) as Record<string, unknown>;
    const acknowledged = await node.promise(Number(epoch), Number(durationMs));
    response.writeHead(200).end(JSON.stringify({ acknowledged }));
  } else {
    return false;
  }
  return true;
}

/** Resolves when `holds` is true; looks after each event of any of the nodes, and now and then. */
export async function until(holds: () => boolean, what: string, timeoutMs = 30_000): Promise<void> {
  const endMs = performance.now() + timeoutMs;
  while (!holds()) {
    if (performance.now() > endMs) throw new Error(`not within ${timeoutMs} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
