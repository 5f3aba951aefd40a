import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ask } from './http-client.ts';
import { startApp, startProxy, type RunningNode } from './node-fixture.ts';

interface Step {
  readonly act: 'write' | 'read' | 'apply' | 'hand-off' | 'background write';
  readonly client: number;
  readonly node: number;
  readonly amount: number;
}

const STEP: fc.Arbitrary<Step> = fc.record({
  act: fc.constantFrom('write', 'read', 'read', 'apply', 'hand-off', 'background write'),
  client: fc.nat({ max: 2 }),
  node: fc.nat({ max: 1 }),
  amount: fc.nat({ max: 3 }),
});

/**
 * Two nodes over a counter that each write raises: a node at txid n answers reads with n. The replica
 * applies when the steps say so, and, while a read waits for it, one transaction at each wait.
 */
class Cluster {
  readonly nodes: readonly RunningNode[];
  #primaryAt = 0;
  #epoch = 1;

  private constructor(nodes: readonly RunningNode[]) {
    this.nodes = nodes;
    this.#appoint();
  }

  static async start(): Promise<Cluster> {
    const start = async (): Promise<RunningNode> => {
      const app = await startApp((request, response) => {
        request.resume();
        request.on('end', () => {
          if (request.method === 'POST') cluster.write();
          response.end(String(txidOf(node)));
        });
      });
      const node = await startProxy(app.url, { readWaitTimeoutMs: 2 });
      return node;
    };
    const cluster = new Cluster([await start(), await start()]);
    return cluster;
  }

  get primary(): RunningNode {
    return this.#node(this.#primaryAt);
  }

  get replica(): RunningNode {
    return this.#node(1 - this.#primaryAt);
  }

  write(): void {
    this.primary.state.reach(this.#epoch, txidOf(this.primary) + 1);
  }

  apply(count: number): void {
    const txid = Math.min(txidOf(this.replica) + count, txidOf(this.primary));
    this.replica.state.reach(this.#epoch, txid);
  }

  handOff(): void {
    this.apply(Infinity);
    this.#primaryAt = 1 - this.#primaryAt;
    this.#epoch += 1;
    this.#appoint();
  }

  #appoint(): void {
    this.primary.state.become('primary').reach(this.#epoch, txidOf(this.primary));
    this.primary.state.onWait = () => {};
    this.replica.state.become('replica', this.primary.url);
    this.replica.state.onWait = () => this.apply(1);
  }

  #node(at: number): RunningNode {
    const node = this.nodes[at];
    if (node === undefined) throw new Error(`there is no node ${at}`);
    return node;
  }
}

function txidOf(node: RunningNode): number {
  return node.state.position()?.txid ?? 0;
}

test('no client ever reads what is older than what it has written or read, on whichever node (X1)', async () => {
  const cluster = await Cluster.start();
  await fc.assert(
    fc.asyncProperty(fc.array(STEP, { maxLength: 30 }), async (steps) => {
      const cookies = new Map<number, string>();
      const seen = new Map<number, number>();
      for (const { act, client, node, amount } of steps) {
        if (act === 'apply') cluster.apply(amount);
        else if (act === 'hand-off') cluster.handOff();
        else if (act === 'background write') cluster.write();
        else {
          const cookie = cookies.get(client);
          const reply = await ask(cluster.nodes[node]?.port ?? 0, {
            method: act === 'write' ? 'POST' : 'GET',
            headers: cookie === undefined ? {} : { Cookie: `__txid=${cookie}` },
          });
          expect(reply.status).toBe(200);
          const before = seen.get(client) ?? 0;
          const now = Number(reply.body);
          if (act === 'write') expect(now).toBeGreaterThan(before);
          else expect(now).toBeGreaterThanOrEqual(before);
          seen.set(client, now);
          if (reply.cookie !== undefined) cookies.set(client, reply.cookie);
        }
      }
    }),
    { numRuns: 60 },
  );
});
