import {
  LeaseKeeper,
  makeNodeIdentity,
  openLeaseStore,
  parseLeaseTimings,
  type LeaseKeeperOptions,
  type LeaseKeeping,
  type LeaseStoreConfig,
  type NodeIdentity,
  type RoleChange,
} from '../src/index.ts';

/** Short, since the keeper's clock is the real one; nothing asserts how long anything takes. */
export const SHORT = parseLeaseTimings({ durationMs: 3000, renewDeadlineMs: 2000, retryMs: 300 });

/** A node of a test that runs by the real clock. */
export interface RealNode {
  readonly self: NodeIdentity;
  readonly keeper: LeaseKeeping;
  readonly changes: readonly RoleChange[];
  readonly errors: readonly Error[];
  /** Resolves once `isMet`; looked at after each event of this node. */
  until(isMet: () => boolean): Promise<void>;
  /** Ends the node, which gives the lease up. */
  stop(): Promise<void>;
}

/** The identity of one start of a node. */
export function identityOf(name: string): NodeIdentity {
  const bootId = Math.random().toString(36).slice(2);
  return makeNodeIdentity({ name, bootId, advertiseUrl: `http://${name}:20202` });
}

/** What a node is made of, whichever thread keeps its lease. */
export interface NodeListeners {
  readonly onChange: (change: RoleChange) => void;
  readonly onView: () => void;
  readonly onError: (error: Error) => void;
}

/** Starts what `make` makes, and notes what it tells. */
export function runNode(
  self: NodeIdentity,
  make: (listeners: NodeListeners) => { keeper: LeaseKeeping; close(): Promise<void> },
): RealNode {
  const changes: RoleChange[] = [];
  const errors: Error[] = [];
  const waiting = new Set<() => void>();
  const wake = (): void => {
    for (const look of waiting) look();
  };
  const { keeper, ...made } = make({
    onChange: (change) => {
      changes.push(change);
      wake();
    },
    onView: wake,
    onError: (error) => {
      errors.push(error);
      wake();
    },
  });
  const end = new AbortController();
  const running = keeper.run(end.signal);
  return {
    self,
    keeper,
    changes,
    errors,
    until: (isMet) =>
      new Promise((resolve) => {
        const look = (): void => {
          if (!isMet()) return;
          waiting.delete(look);
          resolve();
        };
        waiting.add(look);
        look();
      }),
    stop: async () => {
      end.abort();
      await running;
      await made.close();
    },
  };
}

/** A node whose lease is kept in this thread. */
export function startNode(
  self: NodeIdentity,
  store: LeaseStoreConfig,
  options: Partial<LeaseKeeperOptions> = {},
): RealNode {
  return runNode(self, (listeners) => {
    const opened = openLeaseStore(store);
    const keeper = new LeaseKeeper({
      store: opened,
      self,
      timings: SHORT,
      isCandidate: true,
      epochFloor: () => 0,
      ...options,
      ...listeners,
    });
    return { keeper, close: () => opened.close() };
  });
}
