import { existsSync, mkdirSync, rmSync, statSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import type { LeaseStore, LeaseTimings, NodeIdentity } from '@tandem/lease';
import {
  judgeClientPosition,
  ReplicationNode,
  type AcknowledgementMode,
  type ClientPositionVerdict,
  type Position,
  type ReplicationNodeOptions,
} from '../src/index.ts';
import { systemStreamClock } from '../src/stream-source.ts';
import { answerPeer, TOKEN } from './cluster.ts';
import { DiskSpace } from './fault-disk.ts';

/** What a simulated node is started with; plain data. */
export interface SimSettings {
  readonly folder: string;
  readonly identity: NodeIdentity;
  /** The links by which this node reaches each host. */
  readonly ports: Readonly<Record<string, number>>;
  readonly timings: LeaseTimings;
  readonly acknowledge: ReplicationNodeOptions['acknowledge'];
  readonly isFailsafe: boolean;
}

export interface WriteRequest {
  readonly database: string;
  /** Rows `firstId` and so many after it. */
  readonly firstId: number;
  readonly rows: number;
  readonly payloadBytes: number;
  readonly mode: AcknowledgementMode;
  /** The transaction stays open for so long. */
  readonly holdMs: number;
}

/** A state of a database, by its name. */
export interface StateAt {
  readonly position: Position;
  /** Of its rows, as a reader sees them. */
  readonly state: string;
}

export type WriteResult =
  /** Nothing was committed. */
  | { readonly kind: 'refused'; readonly why: string }
  /** The process died before it answered. */
  | { readonly kind: 'vanished' }
  /** Committed; whether others have it is not known. */
  | { readonly kind: 'unknown'; readonly why: string; readonly at?: StateAt }
  | {
      readonly kind: 'confirmed';
      readonly at: StateAt;
      readonly epoch: number;
      /** On the monotonic clock of the machine. */
      readonly decidedNs: string;
    };

export interface ReadRequest {
  readonly database: string;
  /** What the client has seen last. */
  readonly wanted: Position;
}

export interface ReadResult {
  readonly verdict: ClientPositionVerdict;
  readonly at: StateAt;
  readonly count: number;
}

/** What a node does besides, by itself or on request. */
export type SimAction =
  | { readonly kind: 'hand-off'; readonly to?: string }
  | { readonly kind: 'vacuum'; readonly database: string }
  | { readonly kind: 'shorten-logs' }
  | { readonly kind: 'create'; readonly database: string }
  | { readonly kind: 'drop'; readonly database: string }
  | { readonly kind: 'jump'; readonly wallMs: number }
  | { readonly kind: 'fill-disk' | 'free-disk' };

export interface DatabaseAudit {
  readonly name: string;
  readonly position: Position;
  readonly digest: string;
  readonly differingPages: number;
  readonly integrity: string;
  readonly starts: readonly { readonly epoch: number; readonly firstTxid: number }[];
  readonly ids: readonly number[];
}

export interface SimAudit {
  readonly role: string;
  readonly epoch: number;
  readonly databases: readonly DatabaseAudit[];
  readonly quarantine: readonly {
    readonly database: string;
    readonly minTxid: number;
    readonly maxTxid: number;
    readonly reason: string;
  }[];
}

export interface SimStatus {
  readonly isPrimary: boolean;
  readonly role: string;
  readonly epoch: number;
  /** How its streams stand, for a report. */
  readonly streams: string;
  /** Position and digest of each database, as one text. */
  readonly digests: Readonly<Record<string, string>>;
}

const SCHEMA = `
  PRAGMA journal_mode = WAL;
  CREATE TABLE IF NOT EXISTS item (id INTEGER PRIMARY KEY, node TEXT NOT NULL, payload BLOB NOT NULL);
  CREATE TABLE IF NOT EXISTS total (id INTEGER PRIMARY KEY CHECK (id = 1), rows INTEGER NOT NULL);
  INSERT OR IGNORE INTO total (id, rows) VALUES (1, 0);
`;
const STATE = `
  SELECT count(*) AS count, coalesce(sum(id), 0) AS sum,
    coalesce(sum((id * 7919) % 1000003), 0) AS mixed, (SELECT rows FROM total) AS rows
  FROM item
`;
const CONFIRM_MS = 4000;

/** A program with its replicated databases, as one that embeds the engine. */
export class SimApp {
  readonly node: ReplicationNode;
  readonly #settings: SimSettings;
  readonly #connections = new Map<
    string,
    { readonly inode: number; readonly open: DatabaseSync }
  >();
  readonly #disk = new DiskSpace();
  #wallJumpMs = 0;

  constructor(settings: SimSettings, store: LeaseStore, log: ReplicationNodeOptions['log']) {
    this.#settings = settings;
    const { folder, identity, timings, acknowledge, isFailsafe } = settings;
    const wallMs = (): number => Date.now() + this.#wallJumpMs;
    this.node = new ReplicationNode({
      folder: join(folder, 'databases'),
      stateFolder: join(folder, 'state'),
      identity,
      store,
      timings,
      clock: { nowMs: wallMs },
      streamClock: { ...systemStreamClock, wallMs },
      isMeant: () => true,
      isSharedInProcess: true,
      journalMode: 'switch',
      busyTimeoutMs: 500,
      sync: 'none',
      checkpointFrames: 100,
      framesMax: 400,
      isCandidate: true,
      isFailsafe,
      clusterSize: 3,
      acknowledge,
      onClusterMismatch: 'set-aside',
      access: { tokens: [TOKEN] },
      token: TOKEN,
      settings: { heartbeatMs: 200, silenceMsMax: 2000, lingerMs: 200 },
      retention: { ageMaxMs: 600_000, bytesMax: 1 << 30 },
      log,
    });
  }

  start(): void {
    this.node.start();
  }

  async stop(): Promise<void> {
    this.#disk.free();
    this.#disconnect();
    await this.node.stop();
    this.#disconnect();
  }

  async answer(request: IncomingMessage, response: ServerResponse): Promise<boolean> {
    return answerPeer(this.node, request, response);
  }

  upgrade(request: IncomingMessage, socket: Duplex, head: Uint8Array): void {
    if (!this.node.handleUpgrade(request, socket, head)) socket.destroy();
  }

  status(): SimStatus {
    const { node } = this;
    const present = [...node.databases].filter(({ isPresent }) => isPresent);
    const digests = present.map((database): [string, string] => {
      const { epoch, txid } = database.position();
      return [database.name, `${epoch}.${txid} ${database.digest()}`];
    });
    return {
      isPrimary: node.isPrimaryNow(),
      role: node.role,
      epoch: node.epoch,
      streams: `${node.streamState} ${JSON.stringify(node.server.sessions)}`,
      digests: Object.fromEntries(digests),
    };
  }

  /** One transaction, as a client asks for it. */
  async write(request: WriteRequest): Promise<WriteResult> {
    const { node } = this;
    if (!node.isPrimaryNow()) return { kind: 'refused', why: 'not primary' };
    const { database, mode, holdMs } = request;
    try {
      await this.#commit(request, holdMs);
    } catch (error) {
      return { kind: 'refused', why: messageOf(error) };
    }
    let at: StateAt | undefined;
    try {
      at = this.#capture(database);
      // What stayed open while the lease was lost and had again is of the new term.
      const { epoch } = node;
      await node.confirm({ mode, timeoutMs: CONFIRM_MS, onTimeout: 'block' });
      const decidedNs = String(process.hrtime.bigint());
      if (at === undefined) return { kind: 'unknown', why: 'it is gone' };
      return { kind: 'confirmed', at, epoch, decidedNs };
    } catch (error) {
      return { kind: 'unknown', why: messageOf(error), ...(at === undefined ? {} : { at }) };
    }
  }

  /** What a reader sees; undefined where there is no such database, or none that can be read. */
  read({ database: name, wanted }: ReadRequest): ReadResult | undefined {
    const database = this.node.databases.get(name);
    if (database?.isPresent !== true || this.#disk.isFull) return undefined;
    try {
      const at = this.#capture(name);
      if (at === undefined) return undefined;
      const history = database.history();
      const verdict = judgeClientPosition(wanted, history, at.position.txid);
      return { verdict, at, count: Number(at.state.split(' ', 1)[0]) };
    } catch {
      return undefined;
    }
  }

  async act(action: SimAction): Promise<string> {
    try {
      await this.#act(action);
      return 'done';
    } catch (error) {
      return messageOf(error);
    }
  }

  audit(): SimAudit {
    const { node } = this;
    const databases = [...node.databases].filter(({ isPresent }) => isPresent);
    return {
      role: node.role,
      epoch: node.epoch,
      databases: databases.map((database): DatabaseAudit => {
        const connection = this.#connect(database.name);
        const check = connection.prepare('PRAGMA integrity_check').all();
        return {
          name: database.name,
          position: database.position(),
          digest: database.digest(),
          differingPages: database.verify(),
          integrity: check.map((row) => String(row['integrity_check'])).join('; '),
          starts: database.history().starts,
          ids: connection
            .prepare('SELECT id FROM item ORDER BY id')
            .all()
            .map(({ id }) => Number(id)),
        };
      }),
      quarantine: node.quarantine.list(),
    };
  }

  async #commit(request: WriteRequest, holdMs: number): Promise<void> {
    const isBrief = holdMs === 0;
    const { database } = request;
    const connection = isBrief ? this.#connect(database) : this.#open(database);
    try {
      connection.exec('BEGIN IMMEDIATE');
      this.#insert(connection, request);
      if (!isBrief) await new Promise((resolve) => setTimeout(resolve, holdMs));
      connection.exec('COMMIT');
    } finally {
      if (connection.isOpen && connection.isTransaction) connection.exec('ROLLBACK');
      if (!isBrief && connection.isOpen) connection.close();
    }
  }

  #insert(connection: DatabaseSync, { firstId, rows, payloadBytes }: WriteRequest): void {
    const payload = new Uint8Array(payloadBytes).fill(firstId % 251);
    const insert = connection.prepare('INSERT INTO item (id, node, payload) VALUES (?, ?, ?)');
    for (let id = firstId; id < firstId + rows; id += 1) {
      insert.run(id, this.#settings.identity.name, payload);
    }
    connection.prepare('UPDATE total SET rows = rows + ?').run(rows);
  }

  /** Captures, and reads what is there; nothing happens in between. */
  #capture(name: string): StateAt | undefined {
    this.node.capture();
    const database = this.node.databases.get(name);
    const position = database?.position();
    if (position === undefined || position.txid === 0) return undefined;
    const row = this.#connect(name).prepare(STATE).get();
    const { count, sum, mixed, rows } = Object(row) as Record<string, unknown>;
    if (count !== rows)
      throw new Error(`${String(count)} rows, and ${String(rows)} by its own count`);
    return { position, state: [count, sum, mixed].join(' ') };
  }

  async #act(action: SimAction): Promise<void> {
    const { node } = this;
    switch (action.kind) {
      case 'hand-off':
        return node.handOff(action.to, 3000);
      case 'vacuum':
        if (!node.isPrimaryNow()) throw new Error('not primary');
        this.#connect(action.database).exec('VACUUM');
        return;
      case 'shorten-logs':
        for (const { log, syncedTxid } of node.databases) log?.removeThrough(syncedTxid);
        return;
      case 'create':
        if (!node.isPrimaryNow()) throw new Error('not primary');
        this.#create(action.database);
        return;
      case 'drop':
        if (!node.isPrimaryNow()) throw new Error('not primary');
        this.#drop(action.database);
        return;
      case 'jump':
        this.#wallJumpMs += action.wallMs;
        return;
      case 'fill-disk':
        this.#disk.fill();
        return;
      case 'free-disk':
        this.#disk.free();
    }
  }

  #create(name: string): void {
    const path = this.#pathOf(name);
    mkdirSync(join(path, '..'), { recursive: true });
    const connection = new DatabaseSync(path, { timeout: 0 });
    connection.exec(SCHEMA);
    connection.close();
    this.node.capture();
  }

  #drop(name: string): void {
    this.#connections.get(name)?.open.close();
    this.#connections.delete(name);
    for (const suffix of ['', '-wal', '-shm']) rmSync(this.#pathOf(name) + suffix, { force: true });
    this.node.capture();
  }

  /** A connection to the file that is there now. */
  #connect(name: string): DatabaseSync {
    const inode = statSync(this.#pathOf(name)).ino;
    const known = this.#connections.get(name);
    if (known?.inode === inode && known.open.isOpen) return known.open;
    if (known?.open.isOpen === true) known.open.close();
    const open = this.#open(name);
    this.#connections.set(name, { inode, open });
    return open;
  }

  #open(name: string): DatabaseSync {
    const path = this.#pathOf(name);
    if (!existsSync(path)) throw new Error(`there is no ${name}`);
    const open = new DatabaseSync(path, { timeout: 0 });
    open.exec('PRAGMA wal_autocheckpoint = 0');
    return open;
  }

  #disconnect(): void {
    for (const { open } of this.#connections.values()) if (open.isOpen) open.close();
    this.#connections.clear();
  }

  #pathOf(name: string): string {
    return join(this.#settings.folder, 'databases', name);
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
