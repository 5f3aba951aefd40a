import type { Confirmation, PositionPoint, ProxyPosition, ProxyState } from '@tandem/proxy';
import {
  judgeClientPosition,
  type ClientPositionVerdict,
  type ReplicatedDatabase,
  type ReplicationNode,
} from '@tandem/replication';
import { databaseKey } from './database-key.ts';
import type { PrimaryDirectory } from './primary-directory.ts';

export interface ProxyGateOptions {
  readonly node: ReplicationNode;
  readonly directory: PrimaryDirectory;
  /** The only database whose position clients carry; undefined: they carry those of all. */
  readonly databaseName?: string;
}

const ASK_AGAIN_MS = 50;

/** Tells the proxy what it has to know of this node and its primary. */
export class ProxyGate implements ProxyState {
  readonly #node: ReplicationNode;
  readonly #directory: PrimaryDirectory;
  readonly #databaseName: string | undefined;

  constructor({ node, directory, databaseName }: ProxyGateOptions) {
    this.#node = node;
    this.#directory = directory;
    this.#databaseName = databaseName;
    node.listen(() => {
      const { primary } = node;
      if (node.role === 'replica' && primary !== undefined) void directory.learn(primary);
    });
  }

  readonly role = (): 'primary' | 'replica' | 'none' =>
    this.#node.role === 'primary' && !this.#node.isPrimaryNow() ? 'none' : this.#node.role;

  readonly isReady = (): boolean => this.#node.isReady;

  readonly primaryUrl = (): string | undefined => {
    const { primary, role } = this.#node;
    return role === 'replica' && primary !== undefined
      ? this.#directory.proxyUrlOf(primary)
      : undefined;
  };

  readonly position = (): ProxyPosition | undefined => {
    const points = new Map<string, PositionPoint>();
    for (const database of this.#databases()) {
      const point = database.position();
      if (point.txid > 0) points.set(this.#keyOf(database.name), point);
    }
    return points.size === 0 ? undefined : points;
  };

  readonly lagMs = (): number | undefined => {
    if (this.#node.role === 'primary') return 0;
    const lags = [...this.#node.lags.values()].map(({ seconds }) => seconds);
    if (this.#node.streamState !== 'following') return undefined;
    return lags.every((seconds) => seconds !== undefined) ? 1000 * Math.max(0, ...lags) : undefined;
  };

  readonly waitFor = async (
    wanted: ProxyPosition | 'latest',
    timeoutMs: number,
  ): Promise<'reached' | 'timeout' | 'unknown-epoch'> => {
    const position = wanted === 'latest' ? await this.#latest() : wanted;
    if (position === undefined) return 'timeout';
    const verdict = await this.#when(() => {
      const now = this.#judge(position);
      return now === 'awaited' ? undefined : now;
    }, timeoutMs);
    return verdict === 'lost' ? 'unknown-epoch' : (verdict ?? 'timeout');
  };

  readonly waitForPrimary = (timeoutMs: number): Promise<string | undefined> =>
    this.#when(() => (this.#node.isPrimaryNow() ? 'local' : this.primaryUrl()), timeoutMs);

  readonly confirm = async (kind: 'read' | 'write', timeoutMs: number): Promise<Confirmation> => {
    try {
      this.#node.capture();
      const position = this.position();
      if (kind === 'read') return { kind: 'covered', position };
      const confirmed = this.#node.confirm().then(() => true);
      const isTimely = await Promise.race([confirmed, elapsed(timeoutMs)]);
      if (isTimely) return { kind: 'covered', position: this.position() };
      return { kind: 'unconfirmed', reason: `no acknowledgement within ${timeoutMs} ms` };
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      return { kind: 'unconfirmed', reason };
    }
  };

  #databases(): readonly ReplicatedDatabase[] {
    const { databases } = this.#node;
    if (this.#databaseName === undefined) return [...databases];
    const only = databases.get(this.#databaseName);
    return only === undefined ? [] : [only];
  }

  #keyOf(name: string): string {
    return this.#databaseName === undefined ? databaseKey(name) : '';
  }

  /** `lost` when a part of it never comes and all the rest is here. */
  #judge(wanted: ProxyPosition): ClientPositionVerdict {
    if (this.#node.isPrimaryNow()) this.#node.capture();
    const own = new Map(this.#databases().map((each) => [this.#keyOf(each.name), each]));
    const verdicts = [...wanted].map(([key, point]): ClientPositionVerdict => {
      const database = own.get(key);
      if (database === undefined) return 'awaited';
      return judgeClientPosition(point, database.history(), database.position().txid);
    });
    if (verdicts.includes('awaited')) return 'awaited';
    return verdicts.includes('lost') ? 'lost' : 'reached';
  }

  /** What the primary has; undefined when it cannot be asked. */
  async #latest(): Promise<ProxyPosition | undefined> {
    const { primary, role } = this.#node;
    if (role !== 'replica' || primary === undefined) return undefined;
    const positions = await this.#directory.positionsOf(primary);
    if (positions === undefined) return undefined;
    return new Map(
      Object.entries(positions)
        .filter(([name, { txid }]) => txid > 0 && (this.#databaseName ?? name) === name)
        .map(([name, point]) => [this.#keyOf(name), point]),
    );
  }

  /** What `look` gives, as soon as it gives something; looks after each event of the node. */
  #when<Found>(look: () => Found | undefined, timeoutMs: number): Promise<Found | undefined> {
    const found = look();
    if (found !== undefined) return Promise.resolve(found);
    const { promise, resolve } = Promise.withResolvers<Found | undefined>();
    const again = (): void => {
      const now = look();
      if (now !== undefined) resolve(now);
    };
    const unlisten = this.#node.listen(again);
    const repeat = setInterval(() => {
      const { primary, role } = this.#node;
      const isUnknown =
        role === 'replica' && primary !== undefined && this.primaryUrl() === undefined;
      if (isUnknown) void this.#directory.learn(primary).then(again);
      else again();
    }, ASK_AGAIN_MS);
    const end = setTimeout(() => resolve(undefined), timeoutMs);
    return promise.finally(() => {
      unlisten();
      clearInterval(repeat);
      clearTimeout(end);
    });
  }
}

async function elapsed(timeoutMs: number): Promise<false> {
  const { promise, resolve } = Promise.withResolvers<false>();
  setTimeout(() => resolve(false), timeoutMs).unref();
  return promise;
}
