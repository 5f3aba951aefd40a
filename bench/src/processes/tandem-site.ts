import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { setTimeout as pause } from 'node:timers/promises';
import type { BenchContext } from '../workload.ts';
import { endChild } from './child-processes.ts';
import { freePort } from './free-port.ts';
import type { ItemServerPlan } from './item-server.ts';
import { databasePathOf, TandemNode, type TandemNodePlan } from './tandem-node.ts';
import { DATABASE } from './tandem-pair.ts';

const SERVER = fileURLToPath(new URL('item-server.ts', import.meta.url));
const STOP_MS = 5000;
const LOOK_MS = 5;

/** What a site is called and who decides which one is primary. */
export interface TandemSitePlan {
  readonly name: string;
  readonly etcdUrl: string;
  readonly leaseMs: number;
}

/** A node, the application beside it, and the proxy in front of that. */
export class TandemSite {
  readonly proxyPort: number;
  readonly path: string;
  readonly #context: BenchContext;
  readonly #plan: TandemNodePlan;
  #node: TandemNode | undefined;

  private constructor(context: BenchContext, plan: TandemNodePlan, proxyPort: number) {
    this.#context = context;
    this.#plan = plan;
    this.proxyPort = proxyPort;
    this.path = databasePathOf(plan, DATABASE);
  }

  /** Starts the application; the node is started by `start`. All of it ends with the stack. */
  static async open(
    context: BenchContext,
    stack: AsyncDisposableStack,
    { name, etcdUrl, leaseMs }: TandemSitePlan,
  ): Promise<TandemSite> {
    const [port, proxyPort, appPort] = [await freePort(), await freePort(), await freePort()];
    const keys = {
      lease: {
        type: 'etcd',
        duration: `${leaseMs}ms`,
        'demote-delay': '0s',
        etcd: { endpoints: etcdUrl, prefix: '/tandem/bench' },
      },
      cluster: { nodes: 2 },
      proxy: { listen: `127.0.0.1:${proxyPort}`, target: `127.0.0.1:${appPort}` },
    };
    const plan = { name, folder: context.work.make(name), port, keys };
    const site = new TandemSite(context, plan, proxyPort);
    const server: ItemServerPlan = { path: site.path, port: appPort };
    const child = context.children.startNode([SERVER, JSON.stringify(server)]);
    stack.defer(() => endChild(child, STOP_MS));
    stack.defer(async () => {
      await site.#node?.stop();
    });
    await once(child.stdout, 'data');
    return site;
  }

  /** The daemon, once `start` has been called. */
  get node(): TandemNode {
    if (this.#node === undefined) throw new Error('The daemon is not started.');
    return this.#node;
  }

  /** Starts the daemon, also after its death, and waits until it and its proxy serve. */
  async start(): Promise<void> {
    this.#node = TandemNode.start(this.#context, this.#plan);
    await this.#node.untilReady();
    while (!(await this.#isProxyOpen())) await pause(LOOK_MS);
  }

  async #isProxyOpen(): Promise<boolean> {
    try {
      const answer = await fetch(`http://127.0.0.1:${this.proxyPort}/`);
      await answer.text();
      return true;
    } catch {
      return false;
    }
  }
}
