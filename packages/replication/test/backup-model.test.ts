import { BaseError } from '@tandem/base';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { DatabaseBackup } from '../src/backup.ts';
import { FaultyStore, Killed } from './backup-faults.ts';
import { BackupWorld, type BackupNode } from './backup-node.ts';

type Step =
  | { readonly kind: 'write'; readonly sizeBytes: number }
  | { readonly kind: 'shrink' | 'upload' | 'upkeep' | 'follow' | 'hand-over' | 'fail-over' }
  | { readonly kind: 'restart' | 'trim-log' }
  | { readonly kind: 'wait'; readonly ms: number }
  | { readonly kind: 'fault'; readonly call: number; readonly isDone: boolean };

const POLICY = {
  levels: [{ intervalMs: 0, keepMs: 60_000 }, { intervalMs: 30_000 }, { intervalMs: 300_000 }],
  snapshotIntervalMs: 1_800_000,
  retentionMs: 3_600_000,
  inputsMax: 1000,
};

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 8, arbitrary: fc.record({ kind: fc.constant('write'), sizeBytes: fc.nat(4000) }) },
  { weight: 6, arbitrary: fc.constant({ kind: 'upload' } as const) },
  { weight: 4, arbitrary: fc.constant({ kind: 'upkeep' } as const) },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('wait'),
      ms: fc.constantFrom(1, 700, 31_000, 301_000, 2_000_000),
    }),
  },
  { weight: 2, arbitrary: fc.constant({ kind: 'follow' } as const) },
  {
    weight: 3,
    arbitrary: fc.constantFrom<Step>(
      { kind: 'shrink' },
      { kind: 'hand-over' },
      { kind: 'fail-over' },
      { kind: 'restart' },
      { kind: 'trim-log' },
    ),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('fault'),
      call: fc.integer({ min: 1, max: 12 }),
      isDone: fc.boolean(),
    }),
  },
);

/** Two nodes and their backup beside what the database was after every transaction. */
class Model {
  readonly world = new BackupWorld();
  readonly #store = new FaultyStore(this.world.store);
  #primary: BackupNode;
  #replica: BackupNode;
  #backup: DatabaseBackup;
  #epoch = 1;
  /** Of the present history. */
  #states = new Map<number, Buffer>();
  /** Of all histories. */
  readonly #allStates = new Map<number, Buffer[]>();
  readonly #moments: number[] = [];

  constructor() {
    this.#primary = this.world.node('one');
    this.#replica = this.world.node('two', { schema: false });
    this.#primary.database.becomePrimary(1);
    this.#backup = this.#newBackup();
    this.#note();
  }

  async take(what: Step): Promise<void> {
    switch (what.kind) {
      case 'write':
        this.#primary.write('w'.repeat(what.sizeBytes));
        return this.#note();
      case 'shrink':
        this.#primary.run((app) => app.exec('DELETE FROM item WHERE id % 2 = 0'));
        this.#note();
        this.#primary.run((app) => app.exec('VACUUM'));
        return this.#note();
      case 'wait':
        return this.world.clock.advance(what.ms);
      case 'fault':
        this.#store.killAt = this.#store.calls + what.call;
        this.#store.isDone = what.isDone;
        return;
      case 'upload':
        return this.#attempt(() => this.#backup.upload());
      case 'upkeep':
        return this.#attempt(() => this.#backup.upkeep());
      case 'restart':
        this.#backup = this.#newBackup();
        return;
      case 'follow':
        return this.#replica.follow(this.#primary);
      case 'hand-over':
        await this.#replica.follow(this.#primary);
        this.#primary.database.becomeReplica();
        return this.#promote();
      case 'fail-over':
        return this.#failOver();
      case 'trim-log':
        this.#primary.database.log?.removeThrough(this.#primary.database.position().txid);
    }
  }

  /** What is wrong: the last state has to come out, and whatever else does has to be what it says. */
  async complaints(): Promise<string[]> {
    this.#store.killAt = Infinity;
    for (let tries = 0; tries < 3; tries += 1) {
      await this.#attempt(() => this.#backup.upload());
      await this.#attempt(() => this.#backup.upkeep());
    }
    await this.#backup.upload();
    const found: string[] = [];
    const { lagTransactions } = this.#backup.status;
    if (lagTransactions !== 0) found.push(`it is ${lagTransactions} transactions behind`);
    const { bytes, report } = await this.world.restore({ kind: 'latest' });
    if (!bytes.equals(this.#primary.copy())) found.push('the last state is another one');
    if (report.isGivenUp) found.push('the last state is of another history');
    return [...found, ...(await this.#wrongTxids()), ...(await this.#wrongMoments())];
  }

  close(): void {
    this.world[Symbol.dispose]();
  }

  async #wrongTxids(): Promise<string[]> {
    const found: string[] = [];
    for (const [txid, bytes] of this.#states) {
      const restored = await this.#tryRestore({ kind: 'txid', txid });
      const isRight = restored === undefined || restored.bytes.equals(bytes);
      if (!isRight) found.push(`transaction ${txid} is another one`);
    }
    return found;
  }

  async #wrongMoments(): Promise<string[]> {
    const found: string[] = [];
    for (const timeMs of this.#moments.slice(-10)) {
      const restored = await this.#tryRestore({ kind: 'time', timeMs });
      if (restored === undefined) continue;
      const { txid, createdMs } = restored.report;
      if (createdMs > timeMs) found.push(`${createdMs} is later than ${timeMs}`);
      const known = this.#allStates.get(txid) ?? [];
      const isKnown = known.some((bytes) => bytes.equals(restored.bytes));
      if (!isKnown) found.push(`transaction ${txid} at ${timeMs} never was`);
    }
    return found;
  }

  #newBackup(): DatabaseBackup {
    return this.#primary.backup({ store: this.#store, policy: POLICY });
  }

  /** The replica takes over without what it has not got; the old primary does not know yet. */
  async #failOver(): Promise<void> {
    if (!this.#replica.database.isPresent) await this.#replica.follow(this.#primary);
    const { txid } = this.#replica.database.position();
    this.#states = new Map([...this.#states].filter(([known]) => known <= txid));
    const stale = this.#backup;
    this.#promote();
    this.#primary.write('of the new epoch');
    this.#note();
    await this.#attempt(() => this.#backup.upload());
    const stalePrimary = this.#replica;
    for (let count = 0; count < 2; count += 1) {
      stalePrimary.write('late');
      this.#remember(stalePrimary);
    }
    await this.#attempt(() => stale.upload());
    stalePrimary.database.becomeReplica();
    await stalePrimary.follow(this.#primary);
  }

  #promote(): void {
    [this.#primary, this.#replica] = [this.#replica, this.#primary];
    this.#epoch += 1;
    this.#primary.database.becomePrimary(this.#epoch);
    this.#backup = this.#newBackup();
  }

  #note(): void {
    const { txid } = this.#primary.database.position();
    this.#states.set(txid, this.#remember(this.#primary));
    this.#moments.push(this.world.clock.nowMs());
  }

  /** @returns the bytes of the node's database, which has been in this state for once */
  #remember(node: BackupNode): Buffer {
    const { txid } = node.database.position();
    const bytes = node.copy();
    this.#allStates.set(txid, [...(this.#allStates.get(txid) ?? []), bytes]);
    return bytes;
  }

  /** A store that fails, and a backup that notices what it should, are part of life. */
  async #attempt(act: () => Promise<void>): Promise<void> {
    try {
      await act();
    } catch (error) {
      const isNoticed =
        error instanceof BaseError && ['backup_diverged', 'backup_superseded'].includes(error.code);
      if (!isNoticed && !(error instanceof Killed)) throw error;
      this.#store.killAt = Infinity;
    }
  }

  async #tryRestore(
    target: Parameters<BackupWorld['restore']>[0],
  ): Promise<Awaited<ReturnType<BackupWorld['restore']>> | undefined> {
    try {
      return await this.world.restore(target);
    } catch (error) {
      if (error instanceof BaseError && error.code.startsWith('backup_')) return undefined;
      throw error;
    }
  }
}

describe('whatever happens to the nodes and the store', () => {
  test('the last state is restored, and nothing is restored that never was', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
        const model = new Model();
        try {
          for (const what of steps) await model.take(what);
          expect(await model.complaints()).toEqual([]);
        } finally {
          model.close();
        }
      }),
      { numRuns: Number(process.env['FC_RUNS'] ?? 25), interruptAfterTimeLimit: 100_000 },
    );
  });
});
