import { readFileSync } from 'node:fs';
import type {
  DatabaseCopy,
  DatabaseStatus,
  FailsafeQuestion,
  NodeApi,
  NodeChange,
  NodePosition,
  NodeReport,
  NodeStatus,
} from '../src/http/node-api.ts';
import { NO_COUNTERS, NO_QUARANTINES } from './no-counts.ts';

export const SELF = { id: 'web-0_u_b', name: 'web-0', advertiseUrl: 'http://web-0:20202' };
export const OTHER = { id: 'web-1_u_b', name: 'web-1', advertiseUrl: 'http://web-1:20202' };

export const DATABASE: DatabaseStatus = {
  name: 'app.db',
  position: { epoch: 3, txid: 39 },
  checksum: '83b05248774ce767',
  pageSize: 4096,
  pageCount: 2,
  changedAtMs: Date.UTC(2026, 0, 2, 3, 4, 5, 678),
  lag: { transactions: 0, bytes: 0, seconds: 0 },
  log: { fileCount: 2, bytes: 8400, minTxid: 38, maxTxid: 39 },
  commitCount: 12,
  sqlite: { version: '3.51.2', hasWalResetBug: true },
};

export const PRIMARY: NodeStatus = {
  version: '0.1.0',
  startedAtMs: Date.UTC(2026, 0, 1),
  identity: SELF,
  clusterId: 'LFSC0123456789ABCDEF',
  role: 'primary',
  isCandidate: true,
  leaseKind: 'etcd',
  folder: '/data',
  epoch: 3,
  highestEpoch: 3,
  primary: SELF,
  obstacles: [],
  streamState: 'idle',
  databases: [DATABASE],
  members: [SELF, OTHER],
  replicas: [
    {
      node: OTHER,
      isReady: true,
      databases: [
        {
          name: 'app.db',
          state: 'following',
          acknowledged: { epoch: 3, txid: 38 },
          transactionsBehind: 1,
        },
      ],
    },
  ],
  acknowledgement: {
    mode: 'one',
    timeoutMs: 5000,
    onTimeout: 'degrade',
    counts: { acknowledged: 11, degraded: 1, waiting: 0, blocked: 0 },
    degradedNames: [],
  },
  counters: { ...NO_COUNTERS, roleChanges: 1, repairs: 2 },
  quarantines: NO_QUARANTINES,
};

export const REPLICA: NodeStatus = {
  ...PRIMARY,
  role: 'replica',
  primary: OTHER,
  streamState: 'following',
  replicas: [],
  databases: [{ ...DATABASE, lag: { transactions: 3, bytes: 900, seconds: 1.5 } }],
  acknowledgement: { ...PRIMARY.acknowledgement, counts: undefined },
};

/** A node that is what the test says, and writes down what it is asked to do. */
export class ScriptedNode implements NodeApi {
  state: NodeStatus;
  readonly done: string[] = [];
  /** What the operations do beside being written down. */
  onPromote: (signal: AbortSignal) => Promise<void> = async () => {
    this.state = { ...this.state, role: 'primary', primary: this.state.identity };
  };
  onHandOff: (name: string | undefined) => Promise<void> = async () => {
    this.state = { ...this.state, role: 'replica', primary: OTHER };
  };
  onImport: (path: string) => Promise<void> = async () => {};
  onCopy: (name: string) => DatabaseCopy | undefined = () => undefined;
  /** What was in the file of the last import. */
  imported: Buffer | undefined;
  isFailsafeAcknowledged = true;
  readonly #listeners = new Set<(change: NodeChange) => void>();

  constructor(state: NodeStatus = PRIMARY) {
    this.state = state;
  }

  get listenerCount(): number {
    return this.#listeners.size;
  }

  status(): NodeStatus {
    return this.state;
  }

  database(name: string): DatabaseStatus | undefined {
    return this.state.databases.find((database) => database.name === name);
  }

  report(): NodeReport {
    return {
      name: this.state.identity.name,
      clusterId: this.state.clusterId,
      highestEpoch: this.state.highestEpoch,
      positions: Object.fromEntries(this.state.databases.map((each) => [each.name, each.position])),
    };
  }

  listen(listener: (change: NodeChange) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  emit(change: NodeChange): void {
    for (const listener of this.#listeners) listener(change);
  }

  /** A transaction of the database. */
  commit(txid: number): void {
    const position = { epoch: this.state.epoch, txid };
    this.state = { ...this.state, databases: [{ ...DATABASE, position }] };
    this.emit({ kind: 'position', name: 'app.db', position });
  }

  async promote(signal: AbortSignal): Promise<void> {
    this.done.push('promote');
    await this.onPromote(signal);
  }

  async handOff(name: string | undefined): Promise<void> {
    this.done.push(`hand off to ${name ?? 'anyone'}`);
    await this.onHandOff(name);
  }

  async copyDatabase(name: string): Promise<DatabaseCopy | undefined> {
    this.done.push(`copy ${name}`);
    return this.onCopy(name);
  }

  async importDatabase(name: string, path: string): Promise<NodePosition> {
    this.done.push(`import ${name}`);
    this.imported = readFileSync(path);
    await this.onImport(path);
    return { epoch: this.state.epoch, txid: 40 };
  }

  async acknowledgeFailsafe({ epoch, durationMs }: FailsafeQuestion): Promise<boolean> {
    this.done.push(`failsafe ${epoch} ${durationMs}`);
    return this.isFailsafeAcknowledged;
  }
}

/** A copy with these bytes, and whether it has been let go. */
export class ScriptedCopy implements DatabaseCopy {
  readonly position = { epoch: 3, txid: 39 };
  readonly sizeBytes: number;
  readonly #parts: readonly Uint8Array[];
  readonly #isBroken: boolean;
  closeCount = 0;

  constructor(
    parts: readonly Uint8Array[],
    options: { readonly sizeBytes?: number; readonly isBroken?: boolean } = {},
  ) {
    this.#parts = parts;
    this.sizeBytes = options.sizeBytes ?? parts.reduce((sum, part) => sum + part.length, 0);
    this.#isBroken = options.isBroken ?? false;
  }

  get chunks(): AsyncIterable<Uint8Array> {
    return this.#read();
  }

  close(): void {
    this.closeCount += 1;
  }

  async *#read(): AsyncGenerator<Uint8Array> {
    for (const part of this.#parts) yield part;
    if (this.#isBroken) throw new Error('the disk has gone');
  }
}
