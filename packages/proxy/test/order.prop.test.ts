import { POINTS_MAX } from '@tandem/proxy';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ask } from './http-client.ts';
import { startApp, startProxy, type RunningNode } from './node-fixture.ts';

interface Step {
  readonly act: 'write' | 'read' | 'apply' | 'hand-off' | 'background write';
  readonly client: number;
  readonly node: number;
  /** Which database is written or applied. */
  readonly key: number;
  readonly amount: number;
}

const STEP: fc.Arbitrary<Step> = fc.record({
  act: fc.constantFrom('write', 'read', 'read', 'apply', 'hand-off', 'background write'),
  client: fc.nat({ max: 2 }),
  node: fc.nat({ max: 1 }),
  key: fc.nat({ max: 1 }),
  amount: fc.nat({ max: 3 }),
});

/**
 * Two nodes over one counter per database, which a write to it raises: a node at txid n answers reads
 * with n. The replica applies each database by itself when the steps say so, and, while a read waits
 * for it, one transaction of each at each wait.
 */
class Cluster {
  readonly nodes: readonly RunningNode[];
  readonly #keys: readonly string[];
  #primaryAt = 0;
  #epoch = 1;

  private constructor(nodes: readonly RunningNode[], keys: readonly string[]) {
    this.nodes = nodes;
    this.#keys = keys;
    this.#appoint();
  }

  static async start(keys: readonly string[]): Promise<Cluster> {
    const start = async (): Promise<RunningNode> => {
      const app = await startApp((request, response) => {
        request.resume();
        request.on('end', () => {
          if (request.method === 'POST') cluster.write(Number(request.url?.slice(1)));
          response.end(keys.map((key) => txidOf(node, key)).join(' '));
        });
      });
      const node = await startProxy(app.url, { readWaitTimeoutMs: 2 });
      node.state.drop();
      return node;
    };
    const cluster = new Cluster([await start(), await start()], keys);
    return cluster;
  }

  get primary(): RunningNode {
    return this.#node(this.#primaryAt);
  }

  get replica(): RunningNode {
    return this.#node(1 - this.#primaryAt);
  }

  write(at: number): void {
    const key = this.#key(at);
    this.primary.state.reach(this.#epoch, txidOf(this.primary, key) + 1, key);
  }

  apply(at: number, count: number): void {
    const key = this.#key(at);
    const txid = Math.min(txidOf(this.replica, key) + count, txidOf(this.primary, key));
    this.replica.state.reach(this.#epoch, txid, key);
  }

  handOff(): void {
    for (const at of this.#keys.keys()) this.apply(at, Infinity);
    this.#primaryAt = 1 - this.#primaryAt;
    this.#epoch += 1;
    this.#appoint();
  }

  #appoint(): void {
    const { primary, replica } = this;
    primary.state.become('primary');
    for (const key of this.#keys) primary.state.reach(this.#epoch, txidOf(primary, key), key);
    primary.state.onWait = () => {};
    replica.state.become('replica', primary.url);
    replica.state.latest = () => primary.state.position() ?? new Map();
    replica.state.onWait = () => {
      for (const at of this.#keys.keys()) this.apply(at, 1);
    };
  }

  #key(at: number): string {
    const key = this.#keys[at % this.#keys.length];
    if (key === undefined) throw new Error('there is a database');
    return key;
  }

  #node(at: number): RunningNode {
    const node = this.nodes[at];
    if (node === undefined) throw new Error(`there is no node ${at}`);
    return node;
  }
}

function txidOf(node: RunningNode, key: string): number {
  return node.state.position()?.get(key)?.txid ?? 0;
}

/** Does the steps. @returns what a client was answered that goes back behind what it had seen */
async function run(cluster: Cluster, steps: readonly Step[]): Promise<string[]> {
  const cookies = new Map<number, string>();
  const seen = new Map<number, readonly number[]>();
  const steppedBack: string[] = [];
  for (const { act, client, node, key, amount } of steps) {
    if (act === 'apply') cluster.apply(key, amount);
    else if (act === 'hand-off') cluster.handOff();
    else if (act === 'background write') cluster.write(key);
    else {
      const cookie = cookies.get(client);
      const reply = await ask(cluster.nodes[node]?.port ?? 0, {
        method: act === 'write' ? 'POST' : 'GET',
        path: `/${key}`,
        headers: cookie === undefined ? {} : { Cookie: `__txid=${cookie}` },
      });
      const now = reply.body.split(' ').map(Number);
      const before = seen.get(client) ?? now.map(() => 0);
      const written = act === 'write' ? key % now.length : undefined;
      const isNew = (txid: number, at: number): boolean =>
        at === written ? txid > (before[at] ?? 0) : txid >= (before[at] ?? 0);
      if (reply.status !== 200 || !now.every(isNew)) steppedBack.push(`${act}: ${reply.body}`);
      seen.set(client, now);
      if (reply.cookie !== undefined) cookies.set(client, reply.cookie);
    }
  }
  return steppedBack;
}

const MANY = Array.from({ length: POINTS_MAX + 2 }, (_, at) => `key-${at}`);

for (const [databases, keys] of Object.entries({
  'one database': [''],
  'two databases': ['a', 'b'],
  'more databases than a cookie names': MANY,
})) {
  test(`of ${databases}, no client ever reads what is older than what it has written or read, on whichever node (X1)`, async () => {
    const cluster = await Cluster.start(keys);
    await fc.assert(
      fc.asyncProperty(fc.array(STEP, { maxLength: 30 }), async (steps) => {
        expect(await run(cluster, steps)).toEqual([]);
      }),
      { numRuns: 60 },
    );
  });
}
