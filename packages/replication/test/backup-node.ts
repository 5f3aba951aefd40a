import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import type { Clock } from '@tandem/base';
import { openStore, type ObjectStore, type RestoreTarget } from '@tandem/storage';
import { DatabaseBackup, type DatabaseBackupOptions } from '../src/backup.ts';
import { Quarantine } from '../src/quarantine.ts';
import { ReplicatedDatabase } from '../src/replicated-database.ts';
import { restoreDatabase, type RestoreOptions, type RestoreReport } from '../src/restore.ts';

export const PREFIX = 'shop/app.db';
export const START_MS = Date.UTC(2024, 4, 1, 12);

/** A clock that stands still until it is told otherwise. */
export class TestClock implements Clock {
  #nowMs = START_MS;

  nowMs(): number {
    return this.#nowMs;
  }

  advance(byMs: number): void {
    this.#nowMs += byMs;
  }
}

/** A folder with a store and nodes in it, gone when its block ends. */
export class BackupWorld implements Disposable {
  readonly folder = mkdtempSync(join(tmpdir(), 'tandem-backup-'));
  readonly clock = new TestClock();
  readonly store: ObjectStore = openStore(join(this.folder, 'store'), { clock: this.clock });
  readonly #nodes: BackupNode[] = [];
  #restores = 0;

  node(
    name = 'one',
    options: { readonly pageSize?: number; readonly schema?: boolean } = {},
  ): BackupNode {
    const node = new BackupNode(this, name, options);
    this.#nodes.push(node);
    return node;
  }

  path(name: string): string {
    return join(this.folder, name);
  }

  /** Restores and returns the bytes of the database with what is told of it. */
  async restore(
    target: RestoreTarget,
    options: Partial<RestoreOptions> = {},
  ): Promise<{ readonly bytes: Buffer; readonly report: RestoreReport }> {
    const outputPath = options.outputPath ?? this.path(`restored-${this.#restores}.db`);
    this.#restores += 1;
    const source = { store: this.store, databasePrefix: PREFIX, target };
    const report = await restoreDatabase({ ...source, ...options, outputPath });
    return { bytes: readFileSync(outputPath), report };
  }

  async latest(options: Partial<RestoreOptions> = {}): Promise<Buffer> {
    return (await this.restore({ kind: 'latest' }, options)).bytes;
  }

  async keys(): Promise<string[]> {
    const keys: string[] = [];
    for await (const { key } of this.store.list('')) keys.push(key);
    return keys;
  }

  [Symbol.dispose](): void {
    for (const node of this.#nodes) node.close();
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** A database with an application that writes to it. */
export class BackupNode {
  readonly database: ReplicatedDatabase;
  readonly path: string;
  readonly #world: BackupWorld;
  readonly #folder: string;
  #app: DatabaseSync | undefined;

  constructor(
    world: BackupWorld,
    name: string,
    { pageSize = 1024, schema = true }: { readonly pageSize?: number; readonly schema?: boolean },
  ) {
    this.#world = world;
    this.#folder = join(world.folder, name);
    this.path = join(this.#folder, 'app.db');
    mkdirSync(this.#folder, { recursive: true });
    if (schema) {
      this.app.exec(`PRAGMA page_size=${pageSize}; PRAGMA journal_mode=wal`);
      this.app.exec('CREATE TABLE IF NOT EXISTS item (id INTEGER PRIMARY KEY, text TEXT)');
    }
    this.database = this.#open();
  }

  get app(): DatabaseSync {
    if (this.#app?.isOpen !== true) {
      this.#app = new DatabaseSync(this.path);
      this.#app.exec('PRAGMA wal_autocheckpoint=0; PRAGMA synchronous=OFF');
    }
    return this.#app;
  }

  get scratchFolder(): string {
    return join(this.#folder, 'scratch');
  }

  /** Commits some text, so that some pages change. @returns the transaction */
  write(text = 'x'.repeat(300)): number {
    return this.run((app) => app.prepare('INSERT INTO item (text) VALUES (?)').run(text));
  }

  /** Commits what `act` does. @returns the transaction */
  run(act: (app: DatabaseSync) => unknown): number {
    act(this.app);
    this.database.capture();
    this.database.checkpointIfDue();
    return this.database.position().txid;
  }

  /** The bytes of the database at its position. */
  copy(): Buffer {
    const view = this.database.openView();
    try {
      const bytes = Buffer.alloc(view.pageCount * view.pageSize);
      for (let pgno = 1; pgno <= view.pageCount; pgno += 1) {
        const start = (pgno - 1) * view.pageSize;
        view.readPage(pgno, bytes.subarray(start, start + view.pageSize));
      }
      return bytes;
    } finally {
      view.close();
    }
  }

  backup(options: Partial<DatabaseBackupOptions> = {}): DatabaseBackup {
    return new DatabaseBackup({
      source: this.database,
      store: this.#world.store,
      databasePrefix: PREFIX,
      scratchFolder: this.scratchFolder,
      clock: this.#world.clock,
      auditIntervalMs: 0,
      ...options,
    });
  }

  /** Brings this database to the state of `primary` as a stream would. */
  async follow(primary: BackupNode): Promise<void> {
    const { database: own } = this;
    const { database: other } = primary;
    const ownTxid = own.position().txid;
    const shared = other.history().lastShared(own.history(), ownTxid, other.position().txid);
    if (ownTxid > shared && ownTxid > 0) own.quarantineAfter(shared);
    if (shared === 0 || ownTxid > shared) await this.#repair(primary);
    for (let txid = own.position().txid + 1; txid <= other.position().txid;) {
      const file = other.readFrom(txid);
      if (file === undefined) return this.#repair(primary);
      const epoch = other.history().epochOf(file.maxTxid);
      own.apply([{ ...file, epoch, history: other.history() }]);
      txid = file.maxTxid + 1;
    }
    own.adoptHistory(other.history());
  }

  close(): void {
    if (this.#app?.isOpen === true) this.#app.close();
    this.database.close();
  }

  #open(): ReplicatedDatabase {
    return new ReplicatedDatabase({
      name: 'app.db',
      path: this.path,
      stateFolder: join(this.#folder, 'state'),
      quarantine: new Quarantine(join(this.#folder, 'quarantine')),
      clock: this.#world.clock,
      busyTimeoutMs: 1000,
      sync: 'none',
      checkpointFrames: 50,
      checkpointPauseMs: 0,
      framesMax: 200,
      isSharedInProcess: true,
    });
  }

  async #repair(primary: BackupNode): Promise<void> {
    const view = primary.database.openView();
    const writer = this.database.beginRepair(view);
    const page = new Uint8Array(view.pageSize);
    for (let pgno = 1; pgno <= view.pageCount; pgno += 1) {
      view.readPage(pgno, page);
      await writer.writePages(pgno, page);
    }
    await writer.commit(view.digest);
    view.close();
  }
}
