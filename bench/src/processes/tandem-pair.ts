import type { BenchContext } from '../workload.ts';
import { freePort } from './free-port.ts';
import { databasePathOf, TandemNode, type TandemKeys, type TandemNodePlan } from './tandem-node.ts';

/** A primary and a replica on this machine; which is which is fixed. */
export interface TandemPair {
  readonly primary: TandemNodePlan;
  readonly replica: TandemNodePlan;
}

/** The name of the database of every workload. */
export const DATABASE = 'item.db';

/** Plans two nodes with folders of their own; nothing runs yet. */
export async function planPair(
  { work }: Pick<BenchContext, 'work'>,
  keys: TandemKeys = {},
): Promise<TandemPair> {
  const ports = [await freePort(), await freePort()] as const;
  const lease = {
    type: 'static',
    static: { primary: 'primary', 'primary-url': `http://127.0.0.1:${ports[0]}` },
  };
  const all = { lease, cluster: { nodes: 2 }, ...keys };
  const of = (name: string, port: number): TandemNodePlan => {
    return { name, folder: work.make(name), port, keys: all };
  };
  return { primary: of('primary', ports[0]), replica: of('replica', ports[1]) };
}

/** Where the database of a node is. */
export function pathOf(plan: TandemNodePlan): string {
  return databasePathOf(plan, DATABASE);
}

/** Starts a node, gives it to the stack, and waits until it is ready. */
export async function startNode(
  context: BenchContext,
  stack: AsyncDisposableStack,
  plan: TandemNodePlan,
): Promise<TandemNode> {
  const node = stack.use(TandemNode.start(context, plan));
  await node.untilReady();
  return node;
}
