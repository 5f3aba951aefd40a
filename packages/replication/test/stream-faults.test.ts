import { setImmediate } from 'node:timers/promises';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Changes, ModelLink, ModelNode } from './stream-nodes.ts';

const NAMES = ['a.db', 'b.db'] as const;
const NODES = 3;

type Fault =
  | {
      readonly kind: 'commit';
      readonly name: string;
      readonly seeds: number[];
      readonly shrink: boolean;
    }
  | { readonly kind: 'burst'; readonly name: string; readonly count: number }
  | { readonly kind: 'lead'; readonly node: number }
  | { readonly kind: 'cut' | 'stop' | 'go' | 'down' | 'up'; readonly node: number }
  | { readonly kind: 'cutAfter'; readonly node: number; readonly byteCount: number }
  | { readonly kind: 'retain'; readonly name: string; readonly keep: number }
  | { readonly kind: 'pause' }
  | { readonly kind: 'settle' };

const node = fc.nat(NODES - 1);
const name = fc.constantFrom(...NAMES);
const fault: fc.Arbitrary<Fault> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant('commit' as const),
      name,
      seeds: fc.array(fc.integer({ min: 1, max: 1100 }), { minLength: 1, maxLength: 4 }),
      shrink: fc.boolean(),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('burst' as const),
      name,
      count: fc.integer({ min: 1, max: 30 }),
    }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('lead' as const), node }) },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constantFrom(
        'cut' as const,
        'stop' as const,
        'go' as const,
        'down' as const,
        'up' as const,
      ),
      node,
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('cutAfter' as const),
      node,
      byteCount: fc.integer({ min: 1, max: 200_000 }),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('retain' as const), name, keep: fc.nat(5) }),
  },
  { weight: 4, arbitrary: fc.constant<Fault>({ kind: 'pause' }) },
  { weight: 1, arbitrary: fc.constant<Fault>({ kind: 'settle' }) },
);

/**
 * Each node leads twice, with all there is, and each time both replicas are cut off from it at once and
 * in the middle of what they are sent: chance alone may bring too little of that.
 */
const TOUR: Fault[] = [1, 2, 0, 1, 2, 0].flatMap((leader): Fault[] => {
  const replicas = [(leader + 1) % NODES, (leader + 2) % NODES];
  return [
    { kind: 'settle' },
    { kind: 'lead', node: leader },
    { kind: 'burst', name: 'a.db', count: 3 },
    { kind: 'settle' },
    ...replicas.map((replica): Fault => ({ kind: 'cut', node: replica })),
    ...replicas.map((replica): Fault => {
      return { kind: 'cutAfter', node: replica, byteCount: 20 + 2000 * replica };
    }),
    { kind: 'burst', name: 'b.db', count: 40 },
  ];
});

/** Three nodes, each with a stretch of network of its own to whoever is primary. */
class FaultyCluster {
  readonly #changes = new Changes();
  readonly #nodes: ModelNode[] = [];
  readonly #links: ModelLink[] = [];
  #primary = 0;
  #epoch = 1;
  failovers = 0;
  cuts = 0;

  static async start(): Promise<FaultyCluster> {
    const cluster = new FaultyCluster();
    for (let index = 0; index < NODES; index += 1) {
      cluster.#nodes.push(await ModelNode.start(`n${index}`, cluster.#changes));
      const link = await ModelLink.open(() => cluster.primary.port);
      link.onCut = () => {
        cluster.cuts += 1;
      };
      cluster.#links.push(link);
    }
    cluster.primary.lead(1, NAMES);
    for (const name of NAMES) cluster.primary.commit([1, 2, 3], { name });
    cluster.#followAll();
    return cluster;
  }

  get primary(): ModelNode {
    return this.#node(this.#primary);
  }

  get replicas(): ModelNode[] {
    return this.#nodes.filter((_, index) => index !== this.#primary);
  }

  get nodes(): readonly ModelNode[] {
    return this.#nodes;
  }

  async suffer(fault: Fault): Promise<void> {
    const link = 'node' in fault ? this.#links[fault.node] : undefined;
    switch (fault.kind) {
      case 'commit':
        this.#commit(fault.name, fault.seeds, fault.shrink);
        break;
      case 'burst':
        for (let at = 0; at < fault.count; at += 1) this.#commit(fault.name, [1 + (at % 3)], false);
        break;
      case 'lead':
        await this.#lead(fault.node);
        break;
      case 'cut':
        link?.cut();
        break;
      case 'stop':
        link?.stop();
        break;
      case 'go':
        link?.go();
        break;
      case 'down':
      case 'up':
        if (link !== undefined) link.isDown = fault.kind === 'down';
        break;
      case 'cutAfter':
        link?.cutAfter(fault.byteCount);
        break;
      case 'retain': {
        const database = this.primary.database(fault.name);
        database.retainFrom(Math.max(1, database.position().txid - fault.keep));
        break;
      }
      case 'pause':
        for (let turn = 0; turn < 20; turn += 1) await setImmediate();
        break;
      case 'settle':
        await this.settle();
        break;
    }
  }

  /** Mends the network and waits until all have what the primary has. */
  async settle(): Promise<void> {
    for (const link of this.#links) {
      link.isDown = false;
      link.go();
    }
    const isSame = (replica: ModelNode): boolean =>
      NAMES.every((name) => replica.hasSameAs(this.primary, name));
    await this.#changes.until(() => this.replicas.every(isSame));
  }

  async stop(): Promise<void> {
    for (const link of this.#links) {
      link.onCut = () => {};
      await link.close();
    }
    await Promise.all(this.#nodes.map((node) => node.stop()));
  }

  #node(index: number): ModelNode {
    const found = this.#nodes[index];
    if (found === undefined) throw new Error(`there is no node ${index}`);
    return found;
  }

  #commit(name: string, seeds: readonly number[], isShrinking: boolean): void {
    const pageCount = isShrinking ? Math.max(3, ...seeds.map((seed) => seed % 700)) : 0;
    this.primary.commit(pageCount > 0 ? seeds.map((seed) => 1 + (seed % pageCount)) : seeds, {
      name,
      pageCount,
    });
  }

  /** Another node becomes primary, with what it has, unless it has nothing: those never win. */
  async #lead(index: number): Promise<void> {
    const heir = this.#node(index);
    if (index === this.#primary) return;
    heir.follow(undefined);
    await this.#changes.until(() => heir.client.state === 'idle');
    const hasAll = NAMES.every((name) => heir.database(name).position().txid > 0);
    if (hasAll) {
      await this.primary.stepDown();
      this.#primary = index;
      this.#epoch += 1;
      this.failovers += 1;
      heir.lead(this.#epoch, NAMES);
    }
    this.#followAll();
  }

  #followAll(): void {
    for (const [index, node] of this.#nodes.entries()) {
      if (index === this.#primary) continue;
      for (const name of NAMES) node.database(name).beforeApply = slowAtTimes();
      node.follow(this.#links[index]?.url);
    }
  }
}

/** Lets other things happen in the middle of some applies. */
function slowAtTimes(): () => Promise<void> {
  let applies = 0;
  return async () => {
    applies += 1;
    if (applies % 3 === 0) await setImmediate();
  };
}

test('whatever breaks, replicas hold states of the primary only, and in the end the same one', async () => {
  let [failovers, cuts] = [0, 0];
  await fc.assert(
    fc.asyncProperty(fc.array(fault, { minLength: 10, maxLength: 40 }), async (faults) => {
      const cluster = await FaultyCluster.start();
      for (const each of faults) await cluster.suffer(each);
      for (const name of NAMES) cluster.primary.commit([1], { name });
      await cluster.settle();
      for (const name of NAMES) {
        const truth = new Map<string, string>();
        for (const { databases } of cluster.nodes) {
          for (const [position, digest] of databases.get(name)?.reached ?? []) {
            expect(`${position} ${digest}`).toBe(`${position} ${truth.get(position) ?? digest}`);
            truth.set(position, digest);
          }
        }
        for (const { databases } of cluster.nodes) {
          expect(databases.get(name)?.digest()).toBe(cluster.primary.database(name).digest());
        }
      }
      ({ failovers, cuts } = {
        failovers: failovers + cluster.failovers,
        cuts: cuts + cluster.cuts,
      });
      await cluster.stop();
    }),
    { numRuns: Number(process.env['FC_RUNS'] ?? 13), examples: [[TOUR]] },
  );
  // Otherwise nothing has been tried.
  expect(failovers).toBeGreaterThan(5);
  expect(cuts).toBeGreaterThan(20);
});
