import { createServer, type Server } from 'node:http';
import { createServer as createTlsServer, type ServerOptions } from 'node:https';
import { connect, createServer as createTcpServer, type AddressInfo, type Socket } from 'node:net';
import type { NodeIdentity } from '@tandem/lease';
import { Acknowledgements } from '../src/acknowledgements.ts';
import { StreamClient, type StreamTls } from '../src/stream-client.ts';
import type { StreamEnd } from '../src/stream-message.ts';
import { StreamServer, type StreamAccess } from '../src/stream-server.ts';
import {
  systemStreamClock,
  type HandOffOffer,
  type StreamPrimary,
  type StreamReplica,
  type StreamSettings,
} from '../src/stream-source.ts';
import { MODEL_SETTINGS, ModelDatabase, modelIdentity, modelPage } from './stream-model.ts';

export const MODEL_TOKEN = 'a-token-for-tests';

/** Lets tests wait for something to have happened, without looking again and again. */
export class Changes {
  readonly #waiting = new Set<() => void>();

  notify(): void {
    for (const look of this.#waiting) look();
  }

  until(condition: () => boolean): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const look = (): void => {
      if (!condition()) return;
      this.#waiting.delete(look);
      resolve();
    };
    this.#waiting.add(look);
    look();
    return promise;
  }
}

export interface ModelNodeOptions {
  readonly access?: StreamAccess;
  readonly token?: string;
  readonly settings?: Partial<StreamSettings>;
  readonly repairBytesPerSecond?: number;
  readonly clusterId?: string;
  readonly clusterSize?: number;
  /** Makes it a server of HTTPS. */
  readonly serverTls?: ServerOptions;
  readonly clientTls?: StreamTls;
}

/** A node with model databases: an HTTP server on loopback, and a client. */
export class ModelNode {
  readonly name: string;
  readonly changes: Changes;
  readonly databases = new Map<string, ModelDatabase>();
  readonly acknowledgements: Acknowledgements;
  readonly server: StreamServer;
  readonly client: StreamClient;
  /** Ends of its own streams to primaries. */
  readonly ends: StreamEnd[] = [];
  /** What the client logs. */
  readonly logged: string[] = [];
  /** Ends of the streams to its replicas, as logged. */
  readonly endedSessions: string[] = [];
  readonly dropped: string[] = [];
  readonly offers: HandOffOffer[] = [];
  readonly outdatedBy: number[] = [];
  readyCount = 0;
  welcomes = 0;
  members: readonly NodeIdentity[];
  clusterId: string | undefined;
  highestEpoch = 0;
  /** Sets its data aside when the primary is of another cluster. */
  joinsOthers = false;
  /** Thrown at an offer to take over. */
  declines: string | undefined;
  readonly #http: Server;
  readonly #isSecure: boolean;
  readonly #stop = new AbortController();
  #running: Promise<void> | undefined;
  #target: URL | undefined;
  #term: StreamPrimary | undefined;

  private constructor(name: string, changes: Changes, options: ModelNodeOptions) {
    this.name = name;
    this.changes = changes;
    this.clusterId = options.clusterId;
    this.members = [modelIdentity(name)];
    this.acknowledgements = new Acknowledgements(options.clusterSize ?? 3, systemStreamClock);
    const settings = { ...MODEL_SETTINGS, ...options.settings };
    const { repairBytesPerSecond } = options;
    this.server = new StreamServer({
      primary: () => this.#term,
      access: options.access ?? { tokens: [MODEL_TOKEN] },
      clock: systemStreamClock,
      settings,
      ...(repairBytesPerSecond === undefined ? {} : { repairBytesPerSecond }),
      log: (_, message, facts) => {
        if (message === 'a stream to a replica ended') {
          this.endedSessions.push(`${facts['node']} ${facts['kind']}`);
        }
        changes.notify();
      },
    });
    this.client = new StreamClient({
      log: (level, message) => void this.logged.push(`${level} ${message}`),
      replica: this.#replica(),
      target: () => this.#target,
      token: options.token ?? MODEL_TOKEN,
      ...(options.clientTls === undefined ? {} : { tls: options.clientTls }),
      clock: systemStreamClock,
      settings,
      backOff: { minMs: 1, maxMs: 5 },
      random: () => 0.5,
      onEnd: (end) => {
        this.ends.push(end);
        changes.notify();
        return 'reconnect';
      },
    });
    this.#isSecure = options.serverTls !== undefined;
    this.#http =
      options.serverTls === undefined ? createServer() : createTlsServer(options.serverTls);
    this.#http.on('upgrade', (request, socket, head) => {
      if (!this.server.handleUpgrade(request, socket, head)) socket.destroy();
    });
  }

  static async start(
    name: string,
    changes: Changes,
    options: ModelNodeOptions = {},
  ): Promise<ModelNode> {
    const node = new ModelNode(name, changes, options);
    await new Promise<void>((resolve) => node.#http.listen(0, '127.0.0.1', resolve));
    node.#running = node.client.run(node.#stop.signal);
    return node;
  }

  get port(): number {
    return (this.#http.address() as AddressInfo).port;
  }

  get url(): URL {
    return new URL(`${this.#isSecure ? 'https' : 'http'}://127.0.0.1:${this.port}`);
  }

  get epoch(): number | undefined {
    return this.#term?.epoch;
  }

  database(name: string): ModelDatabase {
    const known = this.databases.get(name);
    if (known !== undefined) return known;
    const database = new ModelDatabase(name);
    database.onChange = () => this.changes.notify();
    database.onPage = () => this.changes.notify();
    this.databases.set(name, database);
    return database;
  }

  /** Becomes primary of `epoch`. */
  lead(epoch: number, databases: readonly string[] = ['a.db']): void {
    this.highestEpoch = Math.max(epoch, this.highestEpoch);
    this.clusterId ??= 'cluster-a';
    const { clusterId } = this;
    for (const name of databases) this.database(name);
    for (const database of this.databases.values()) database.begin(epoch);
    this.#term = {
      identity: modelIdentity(this.name),
      clusterId,
      epoch,
      acknowledgements: {
        attach: (nodeName) => {
          const replica = this.acknowledgements.attach(nodeName);
          return {
            ...replica,
            acknowledge: (name, position) => {
              replica.acknowledge(name, position);
              this.changes.notify();
            },
          };
        },
      },
      databases: () => this.databases.values(),
      database: (name) => this.databases.get(name),
      members: () => this.members,
      outdated: (epoch) => {
        this.outdatedBy.push(epoch);
        this.changes.notify();
      },
    };
    this.#target = undefined;
    this.client.retarget();
  }

  /** Is no longer primary. */
  async stepDown(): Promise<void> {
    this.#term = undefined;
    await this.server.close('this node is no longer primary');
  }

  follow(url: URL | undefined): void {
    this.#target = url;
    this.client.retarget();
  }

  /** One transaction as primary: each seed is a page number and gives its new content. */
  commit(seeds: readonly number[], { name = 'a.db', pageCount = 0 } = {}): number {
    const database = this.database(name);
    const { txid } = database.position();
    const pages = new Map(seeds.map((pgno) => [pgno, modelPage(pgno * 1000 + txid * 7919)]));
    const count = pageCount > 0 ? pageCount : Math.max(database.pages.length, ...seeds, 1);
    const committed = database.commit(pages, count);
    this.server.changed(name);
    return committed;
  }

  drop(name: string): void {
    this.databases.delete(name);
    this.server.dropped(name);
  }

  hasSameAs(other: ModelNode, name = 'a.db'): boolean {
    const [mine, theirs] = [this.databases.get(name), other.databases.get(name)];
    if (mine === undefined || theirs === undefined) return mine === theirs;
    const [{ txid, epoch }, position] = [mine.position(), theirs.position()];
    return txid === position.txid && epoch === position.epoch && mine.digest() === theirs.digest();
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#running;
    await this.server.close('this node stops');
    this.#http.closeAllConnections();
    await new Promise((resolve) => this.#http.close(resolve));
  }

  #replica(): StreamReplica {
    return {
      identity: modelIdentity(this.name),
      clusterId: () => this.clusterId,
      highestEpoch: () => this.highestEpoch,
      databases: () => this.databases.values(),
      open: (name) => this.database(name),
      drop: (name) => {
        this.databases.delete(name);
        this.dropped.push(name);
        this.changes.notify();
      },
      clusterDiffers: () => {
        if (!this.joinsOthers) return;
        this.clusterId = undefined;
        this.highestEpoch = 0;
        this.databases.clear();
      },
      welcomed: ({ clusterId, epoch, members }) => {
        this.clusterId ??= clusterId;
        this.highestEpoch = Math.max(this.highestEpoch, epoch);
        this.members = members;
        this.welcomes += 1;
        this.changes.notify();
      },
      membersChanged: (members) => {
        this.members = members;
        this.changes.notify();
      },
      ready: () => {
        this.readyCount += 1;
        this.changes.notify();
      },
      handOff: (offer) => {
        if (this.declines !== undefined) throw new Error(this.declines);
        this.offers.push(offer);
      },
    };
  }
}

/** A stretch of network between a replica and its primary, which can be cut, stopped or broken. */
export class ModelLink {
  readonly #server: ReturnType<typeof createTcpServer>;
  readonly #pairs = new Set<readonly [Socket, Socket]>();
  readonly #port: () => number;
  #isStopped = false;
  #isDown = false;
  #bytesLeft = Infinity;
  /** Told when a connection is broken. */
  onCut: () => void = () => {};

  private constructor(port: () => number) {
    this.#port = port;
    this.#server = createTcpServer((near) => this.#join(near));
  }

  /** Leads to the port that is given at each connection. */
  static async open(port: () => number): Promise<ModelLink> {
    const link = new ModelLink(port);
    await new Promise<void>((resolve) => link.#server.listen(0, '127.0.0.1', resolve));
    return link;
  }

  get url(): URL {
    return new URL(`http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`);
  }

  /** Breaks what is connected; new connections work. */
  cut(): void {
    if (this.#pairs.size > 0) this.onCut();
    for (const pair of this.#pairs) for (const socket of pair) socket.destroy();
    this.#pairs.clear();
  }

  /** Breaks after so many more bytes towards the replica. */
  cutAfter(byteCount: number): void {
    this.#bytesLeft = byteCount;
  }

  /** Carries nothing until `go`, as if the replica did not read. */
  stop(): void {
    this.#isStopped = true;
    for (const [, far] of this.#pairs) far.pause();
  }

  go(): void {
    this.#isStopped = false;
    for (const [, far] of this.#pairs) far.resume();
  }

  /** Refuses new connections, or no longer does. */
  set isDown(isDown: boolean) {
    this.#isDown = isDown;
    if (isDown) this.cut();
  }

  async close(): Promise<void> {
    this.isDown = true;
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #join(near: Socket): void {
    if (this.#isDown) {
      near.destroy();
      return;
    }
    const far = connect(this.#port(), '127.0.0.1');
    const pair = [near, far] as const;
    this.#pairs.add(pair);
    const part = (): void => {
      this.#pairs.delete(pair);
      near.destroy();
      far.destroy();
    };
    for (const socket of pair) {
      socket.on('error', part);
      socket.on('close', part);
    }
    near.pipe(far);
    far.on('data', (piece: Uint8Array) => this.#carry(piece, near, far));
    near.on('drain', () => {
      if (!this.#isStopped) far.resume();
    });
    if (this.#isStopped) far.pause();
  }

  #carry(piece: Uint8Array, near: Socket, far: Socket): void {
    const passed = piece.subarray(0, Math.min(piece.length, this.#bytesLeft));
    this.#bytesLeft -= piece.length;
    if (passed.length > 0 && !near.write(passed)) far.pause();
    if (this.#bytesLeft > 0) return;
    this.#bytesLeft = Infinity;
    // What has passed is to arrive, as on a wire that breaks behind it.
    near.end();
    far.destroy();
    this.onCut();
  }
}
