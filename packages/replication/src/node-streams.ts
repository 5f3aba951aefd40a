import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import type { NodeIdentity } from '@tandem/lease';
import type { ReplicationNodeOptions } from './node-options.ts';
import { CatchUpServer, PeerCatchUp, type Sponsorship } from './peer-catch-up.ts';
import type { ReplicatedDatabase } from './replicated-database.ts';
import { STREAM_BACK_OFF, StreamClient } from './stream-client.ts';
import type { StreamEnd } from './stream-message.ts';
import { StreamServer } from './stream-server.ts';
import {
  STREAM_SETTINGS,
  type StreamClock,
  type StreamPrimary,
  type StreamReplica,
} from './stream-source.ts';

export interface NodeStreamsOptions {
  readonly node: ReplicationNodeOptions;
  readonly clock: StreamClock;
  /** This node as a primary, if it is one at this moment. */
  readonly primary: () => StreamPrimary | undefined;
  /** This node as a replica. */
  readonly replica: StreamReplica;
  /** Whether this node may follow anybody. */
  readonly mayFollow: () => boolean;
  /** Whom to follow. */
  readonly leader: () => NodeIdentity | undefined;
  /** What to serve to a node that may become primary; undefined while this one is. */
  readonly sponsorship: () => Sponsorship | undefined;
  readonly open: (name: string) => ReplicatedDatabase;
  /** The primary is of another cluster than this node says. */
  readonly onClusterDiffers: () => void;
}

const RECONNECT_MS_MAX = 1000;
/** At the end all replicas are given so long to take what was written last. */
const FAREWELL_MS = 1000;
/** So long is waited for one that has all of it: the next primary then has it, or fetches it. */
const FAREWELL_MS_MAX = 5000;
const FAREWELL_LOOK_MS = 10;

/** All streams of a node: to its replicas, from its primary, and to and from those who catch up. */
export class NodeStreams {
  readonly server: StreamServer;
  readonly client: StreamClient;
  readonly catchUp: PeerCatchUp;
  readonly #catchUpServer: CatchUpServer;
  readonly #options: NodeStreamsOptions;
  #isStreaming = false;
  #waiting: (() => void)[] = [];

  constructor(options: NodeStreamsOptions) {
    this.#options = options;
    const { clock, primary, replica, open } = options;
    const { log, access, token, tls, repairBytesPerSecond } = options.node;
    const settings = { ...STREAM_SETTINGS, ...options.node.settings };
    const common = { clock, settings, log };
    const rate = repairBytesPerSecond === undefined ? {} : { repairBytesPerSecond };
    this.server = new StreamServer({ ...common, ...rate, access, primary });
    this.#catchUpServer = new CatchUpServer({ ...common, ...rate, access });
    this.catchUp = new PeerCatchUp(clock, () => this.client.retarget());
    const begin = (): StreamReplica => {
      this.#isStreaming = true;
      return this.catchUp.replica(replica, open);
    };
    this.client = new StreamClient({
      ...common,
      // Asked for at the beginning of each stream.
      get replica() {
        return begin();
      },
      target: () => this.#target(),
      ...(token === undefined ? {} : { token }),
      ...(tls === undefined ? {} : { tls }),
      backOff: { ...STREAM_BACK_OFF, maxMs: options.node.reconnectDelayMs ?? RECONNECT_MS_MAX },
      random: Math.random,
      onEnd: (end) => this.#ended(end),
    });
  }

  /** Who is connected to this node as its replica. */
  get connected(): NodeIdentity[] {
    return this.server.sessions.flatMap(({ node }) => node ?? []);
  }

  /** Those that are in step, the one that has acknowledged most first. */
  get successors(): string[] {
    const behind = ({ feeds }: (typeof ready)[number]): number =>
      feeds.reduce((sum, { transactionsBehind }) => sum + transactionsBehind, 0);
    const ready = this.server.sessions.filter(({ isReady }) => isReady);
    return ready.toSorted((a, b) => behind(a) - behind(b)).flatMap(({ node }) => node?.name ?? []);
  }

  /**
   * Waits a moment for replicas: what was written last is not to be missing where the next primary
   * is. `areFenced`: nothing is written any more.
   */
  async farewell(databases: Iterable<ReplicatedDatabase>, areFenced: () => boolean): Promise<void> {
    const { clock, node } = this.#options;
    const startMs = clock.monotonicMs();
    for (;;) {
      const held = areFenced() ? this.#inStepWith(databases) : [false];
      const isSafe = held.includes(true) || held.length === 0;
      const elapsedMs = clock.monotonicMs() - startMs;
      if (!held.includes(false) || (isSafe && elapsedMs >= FAREWELL_MS)) return;
      if (elapsedMs >= FAREWELL_MS_MAX) break;
      await new Promise<void>((resolve) => void clock.after(FAREWELL_LOOK_MS, resolve));
    }
    node.log('warn', 'stopping before a replica has everything', {
      hint: 'What is missing is on this node only: start it again, before others write.',
    });
  }

  /** The lowest transaction of a database that a connected replica has not confirmed. */
  neededFrom(name: string): number | undefined {
    const needs = this.server.sessions.flatMap(({ feeds }) =>
      feeds
        .filter((feed) => feed.name === name && feed.state === 'following')
        .map(({ acknowledged, sentTxid }) => (acknowledged?.txid ?? sentTxid) + 1),
    );
    return needs.length === 0 ? undefined : Math.min(...needs);
  }

  /** For the 'upgrade' event of the node's HTTP server; false when it is for somebody else. */
  handleUpgrade(request: IncomingMessage, socket: Duplex, head: Uint8Array): boolean {
    return CatchUpServer.isMeant(request)
      ? this.#catchUpServer.handleUpgrade([request, socket, head], this.#options.sponsorship())
      : this.server.handleUpgrade(request, socket, head);
  }

  /** Resolves when no stream from another node writes to the databases; see `mayFollow`. */
  async unfollowed(): Promise<void> {
    this.catchUp.cancel();
    this.client.retarget();
    while (this.#isStreaming) {
      await new Promise<void>((resolve) => void this.#waiting.push(resolve));
    }
  }

  /** Ends the streams to others. */
  async close(reason: string): Promise<void> {
    await Promise.all([this.server.close(reason), this.#catchUpServer.close(reason)]);
  }

  /** Ends what others fetch from this node, which is primary from now on. */
  endSponsorship(): void {
    void this.#catchUpServer.close('this node is primary');
  }

  /** For each replica whether it has confirmed all that these databases hold. */
  #inStepWith(databases: Iterable<ReplicatedDatabase>): boolean[] {
    const wanted = [...databases].filter(({ isPresent }) => isPresent);
    const welcomed = this.server.sessions.filter(({ node }) => node !== undefined);
    return welcomed.map(({ feeds }) =>
      wanted.every((database) => {
        const feed = feeds.find(({ name }) => name === database.name);
        const { txid } = database.position();
        return txid === 0 || (feed !== undefined && feed.transactionsBehind === 0);
      }),
    );
  }

  #target(): URL | undefined {
    const { mayFollow, leader } = this.#options;
    if (!mayFollow()) return undefined;
    const url = leader()?.advertiseUrl;
    const isUsable = url !== undefined && URL.canParse(url);
    return this.catchUp.target ?? (isUsable ? new URL(url) : undefined);
  }

  #ended(end: StreamEnd): 'reconnect' {
    this.#isStreaming = false;
    this.catchUp.ended();
    if (end.kind === 'refused' && end.code === 'cluster_differs') this.#options.onClusterDiffers();
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const resolve of waiting) resolve();
    return 'reconnect';
  }
}
