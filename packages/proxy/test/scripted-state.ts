import type { PositionPoint, ProxyPosition, ProxyState } from '@tandem/proxy';

interface Waiter {
  readonly position: ProxyPosition | 'latest';
  readonly resolve: (result: 'reached' | 'timeout' | 'unknown-epoch') => void;
}

/** A node's state as the test tells it. Waiting ends by what the test does, or by the real time-out. */
export class ScriptedState implements ProxyState {
  #role: 'primary' | 'replica' | 'none' = 'replica';
  #isReady = true;
  #primaryUrl: string | undefined;
  readonly #position = new Map<string, PositionPoint>();
  #lagMs: number | undefined = 0;
  readonly #waiters = new Set<Waiter>();
  readonly #primaryWaiters = new Set<() => void>();
  /** Epochs of which the node's history lost everything. */
  readonly lostEpochs = new Set<number>();
  /** What has been waited for. */
  readonly waits: (ProxyPosition | 'latest')[] = [];
  /** What `latest` means; nobody can be asked for it while it is undefined. */
  latest: (() => ProxyPosition) | undefined;
  /** Called at each wait, before it can end. */
  onWait: () => void = () => {};
  confirm?: NonNullable<ProxyState['confirm']>;

  readonly role = (): 'primary' | 'replica' | 'none' => this.#role;
  readonly isReady = (): boolean => this.#isReady;
  readonly primaryUrl = (): string | undefined => this.#primaryUrl;
  readonly position = (): ProxyPosition | undefined =>
    this.#position.size === 0 ? undefined : new Map(this.#position);
  readonly lagMs = (): number | undefined => this.#lagMs;

  readonly waitFor = async (
    position: ProxyPosition | 'latest',
    timeoutMs: number,
  ): Promise<'reached' | 'timeout' | 'unknown-epoch'> => {
    this.waits.push(position);
    const points = position === 'latest' ? [] : [...position.values()];
    if (points.some(({ epoch }) => this.lostEpochs.has(epoch))) return 'unknown-epoch';
    if (this.#has(position)) return 'reached';
    const result = Promise.withResolvers<'reached' | 'timeout' | 'unknown-epoch'>();
    const waiter = { position, resolve: result.resolve };
    this.#waiters.add(waiter);
    this.onWait();
    const timer = setTimeout(() => result.resolve('timeout'), timeoutMs);
    try {
      return await result.promise;
    } finally {
      clearTimeout(timer);
      this.#waiters.delete(waiter);
    }
  };

  readonly waitForPrimary = async (timeoutMs: number): Promise<string | undefined> => {
    if (this.#place() === undefined) {
      const known = Promise.withResolvers<void>();
      this.#primaryWaiters.add(known.resolve);
      this.onWait();
      const timer = setTimeout(known.resolve, timeoutMs);
      await known.promise;
      clearTimeout(timer);
      this.#primaryWaiters.delete(known.resolve);
    }
    return this.#place();
  };

  become(role: 'primary' | 'replica' | 'none', primaryUrl?: string): this {
    this.#role = role;
    this.#primaryUrl = primaryUrl;
    for (const resolve of this.#primaryWaiters) resolve();
    return this;
  }

  /** The database of that key, which is empty for the only one, is at `txid` from now on. */
  reach(epoch: number, txid: number, key = ''): this {
    this.#position.set(key, { epoch, txid });
    for (const { position, resolve } of this.#waiters) if (this.#has(position)) resolve('reached');
    return this;
  }

  /** The database of that key is no more. */
  drop(key = ''): this {
    this.#position.delete(key);
    return this;
  }

  set ready(isReady: boolean) {
    this.#isReady = isReady;
  }

  set lag(lagMs: number | undefined) {
    this.#lagMs = lagMs;
  }

  #has(position: ProxyPosition | 'latest'): boolean {
    const wanted = position === 'latest' ? this.latest?.() : position;
    if (wanted === undefined) return false;
    return [...wanted].every(([key, { epoch, txid }]) => {
      const own = this.#position.get(key);
      if (own === undefined) return false;
      return own.epoch === epoch ? own.txid >= txid : own.epoch > epoch;
    });
  }

  #place(): string | undefined {
    return this.#role === 'primary' ? 'local' : this.#primaryUrl;
  }
}
