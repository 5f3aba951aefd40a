import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import type { NodeIdentity } from '@tandem/lease';
import type { ReplicatedDatabase } from './replicated-database.ts';
import { ReplicationError } from './replication-error.ts';
import { StreamServer, type StreamServerOptions } from './stream-server.ts';
import type { StreamClock, StreamPrimary, StreamReplica } from './stream-source.ts';

const PARAMETER = 'database';
/** The names go into a URL; what does not fit is fetched in another round. */
const QUERY_BYTES_MAX = 4096;

interface CatchUp {
  readonly url: URL;
  readonly names: ReadonlySet<string>;
  readonly outcome: Promise<boolean>;
  readonly settle: (isDone: boolean) => void;
  hasBegun: boolean;
}

/**
 * How a node that may become primary first gets what another one has and it lacks: by a stream from
 * that node, which is no primary either, of some databases only. It takes the place of the stream
 * from a primary, so that no database is ever written by two.
 */
export class PeerCatchUp {
  readonly #clock: StreamClock;
  readonly #retarget: () => void;
  #current: CatchUp | undefined;

  /** `retarget` is called when `target` has changed. */
  constructor(clock: StreamClock, retarget: () => void) {
    this.#clock = clock;
    this.#retarget = retarget;
  }

  /** Where to stream from; undefined when nothing is to be fetched. */
  get target(): URL | undefined {
    return this.#current?.url;
  }

  /**
   * Fetches the databases from that node, as many as go at once.
   *
   * @returns true when it is done within `waitMs`; it goes on if it is not, and may be asked for again
   */
  async fetch(from: NodeIdentity, databases: readonly string[], waitMs: number): Promise<boolean> {
    const url = urlOf(from, databases);
    if (this.#current?.url.href !== url.href) this.#begin(url);
    const { promise, resolve } = Promise.withResolvers<boolean>();
    const cancel = this.#clock.after(waitMs, () => resolve(false));
    const isDone = await Promise.race([this.#current?.outcome ?? false, promise]);
    cancel();
    return isDone;
  }

  /** A primary is known, or this node is it. */
  cancel(): void {
    this.#end(false);
  }

  /** The stream that was under way has ended. */
  ended(): void {
    if (this.#current?.hasBegun === true) this.#end(false);
  }

  /**
   * This node towards the next stream: `usual`, or, while there is something to fetch, a replica of
   * those databases alone.
   */
  replica(usual: StreamReplica, open: (name: string) => ReplicatedDatabase): StreamReplica {
    const current = this.#current;
    if (current === undefined) return usual;
    current.hasBegun = true;
    const mustBeAsked = (name: string): ReplicatedDatabase => {
      if (current.names.has(name)) return open(name);
      throw new ReplicationError('diverged', `${name} was not asked for.`, { retryable: true });
    };
    return {
      identity: usual.identity,
      clusterId: () => usual.clusterId(),
      highestEpoch: () => usual.highestEpoch(),
      databases: () => [...current.names].map(open),
      open: mustBeAsked,
      // It was there when this node asked. Whoever is primary next decides.
      drop: () => {},
      welcomed: ({ clusterId }) => {
        if (clusterId === usual.clusterId()) return;
        throw new ReplicationError('cluster_mismatch', 'The other node is of another cluster.');
      },
      membersChanged: () => {},
      ready: () => {
        if (this.#current === current) this.#end(true);
      },
      handOff: () => {
        throw new ReplicationError('hand_off_failed', 'The other node is not primary.');
      },
    };
  }

  #begin(url: URL): void {
    this.#end(false);
    const { promise, resolve } = Promise.withResolvers<boolean>();
    const names = new Set(url.searchParams.getAll(PARAMETER));
    this.#current = { url, names, outcome: promise, settle: resolve, hasBegun: false };
    this.#retarget();
  }

  #end(isDone: boolean): void {
    const current = this.#current;
    if (current === undefined) return;
    this.#current = undefined;
    current.settle(isDone);
    this.#retarget();
  }
}

/** What a node serves to another that is catching up. */
export interface Sponsorship {
  readonly identity: NodeIdentity;
  readonly clusterId: string;
  readonly epoch: number;
  readonly database: (name: string) => ReplicatedDatabase | undefined;
}

/** Serves databases to a node that may become primary, while there is none. */
export class CatchUpServer {
  readonly #server: StreamServer;
  #next: StreamPrimary | undefined;

  constructor(options: Omit<StreamServerOptions, 'primary'>) {
    this.#server = new StreamServer({ ...options, primary: () => this.#next });
  }

  /** Whether the request is of this kind. */
  static isMeant({ url }: IncomingMessage): boolean {
    return namesIn(url).length > 0;
  }

  /** `sponsorship` is undefined while this node is primary: it then refuses. */
  handleUpgrade(
    [request, socket, head]: readonly [IncomingMessage, Duplex, Uint8Array],
    sponsorship: Sponsorship | undefined,
  ): boolean {
    this.#next = sponsorship && sponsorOf(sponsorship, namesIn(request.url));
    return this.#server.handleUpgrade(request, socket, head);
  }

  /** Ends all streams. */
  close(reason: string): Promise<void> {
    return this.#server.close(reason);
  }
}

function sponsorOf(
  { identity, clusterId, epoch, database }: Sponsorship,
  names: readonly string[],
): StreamPrimary {
  const present = (name: string): ReplicatedDatabase | undefined => {
    const found = names.includes(name) ? database(name) : undefined;
    return found?.isPresent === true ? found : undefined;
  };
  return {
    identity,
    clusterId,
    epoch,
    acknowledgements: { attach: () => NOBODY_COUNTS },
    databases: () => names.flatMap((name) => present(name) ?? []),
    database: present,
    members: () => [],
    outdated: () => {},
  };
}

const NOBODY_COUNTS = { acknowledge: () => {}, forget: () => {}, detach: () => {} };

function urlOf(node: NodeIdentity, databases: readonly string[]): URL {
  const url = new URL(node.advertiseUrl);
  url.search = '';
  for (const name of databases) {
    const before = url.search;
    url.searchParams.append(PARAMETER, name);
    if (url.search.length > QUERY_BYTES_MAX && before !== '') {
      url.search = before;
      break;
    }
  }
  return url;
}

function namesIn(url = ''): string[] {
  const mark = url.indexOf('?');
  return mark < 0 ? [] : new URLSearchParams(url.slice(mark)).getAll(PARAMETER);
}
