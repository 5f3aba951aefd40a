import { rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import type { ReplicatedDatabase } from '../src/replicated-database.ts';
import { follow, openApp, openNode, pathIn } from './engine-nodes.ts';
import { SeededRandom } from './seeded-random.ts';

/** What may happen to a primary and its replica; what happens more often stands there more often. */
const STEPS = [
  'write',
  'write',
  'write',
  'large',
  'delete',
  'vacuum',
  'capture',
  'checkpoint',
  'follow',
  'follow',
  'follow',
  'retain',
  'reseed',
  'reopen',
  'swap',
  'diverge',
] as const;

export type EngineStep = (typeof STEPS)[number];

/** Each of them once. */
export const ENGINE_STEPS: readonly EngineStep[] = [...new Set(STEPS)];

/**
 * Two nodes and an application in one process, which tells on its standard output what it promises:
 * `wrote TEXT` once a transaction is committed, `forgets` once the transactions that only one node had
 * may be lost, `has TXID HOME` once the replica there holds everything up to that transaction.
 */
export class EngineScenario {
  readonly #random: SeededRandom;
  readonly #label: string;
  #homes: [string, string];
  #primary: ReplicatedDatabase;
  #replica: ReplicatedDatabase;
  #app: DatabaseSync | undefined;
  #count = 0;
  #epoch: number;

  /** Continues with what is in the folders; the primary is the one that comes first. */
  constructor(homes: readonly [string, string], seed: number) {
    this.#random = new SeededRandom(seed);
    this.#label = `${seed}`;
    this.#homes = [...homes];
    this.#app = openApp(homes[0]);
    this.#primary = openNode(homes[0]);
    this.#replica = openNode(homes[1]);
    this.#epoch = this.#nextEpoch();
    this.#primary.becomePrimary(this.#epoch);
  }

  async run(steps: number): Promise<void> {
    for (let step = 0; step < steps; step += 1) await this.#do(this.#random.of(STEPS));
  }

  /** Does one thing, with something to do it on. */
  async focus(step: EngineStep): Promise<void> {
    this.#write(500);
    this.#write(30_000);
    await this.#do(step);
  }

  close(): void {
    this.#app?.close();
    this.#primary.close();
    this.#replica.close();
  }

  async #do(step: EngineStep): Promise<void> {
    if (step === 'write') this.#write(this.#random.below(3000));
    if (step === 'large') this.#write(this.#random.below(400_000));
    if (step === 'delete') this.#application.exec(`DELETE FROM item WHERE text LIKE 'x%'`);
    if (step === 'vacuum') this.#application.exec('VACUUM');
    if (step === 'capture') this.#primary.capture();
    if (step === 'checkpoint') {
      const mode = this.#random.of(['PASSIVE', 'FULL', 'TRUNCATE']);
      this.#primary.capture();
      this.#primary.checkpointIfDue();
      this.#application.exec(`PRAGMA busy_timeout=0; PRAGMA wal_checkpoint(${mode})`);
      // A node looks every few milliseconds, and remembers a log that was copied whole.
      this.#primary.checkpointIfDue();
    }
    if (step === 'follow') await this.#follow();
    if (step === 'retain') this.#retain();
    if (step === 'reseed') await this.#reseed();
    if (step === 'reopen') this.#reopen();
    if (step === 'swap') await this.#swap();
    if (step === 'diverge') this.#diverge();
  }

  get #application(): DatabaseSync {
    this.#app ??= openApp(this.#homes[0]);
    return this.#app;
  }

  #write(bytes: number): void {
    this.#count += 1;
    const isKept = this.#random.below(3) > 0;
    const text = `${isKept ? 'k' : 'x'}-${this.#label}-${this.#count}`;
    const insert = this.#application.prepare('INSERT INTO item (text, pad) VALUES (?, ?)');
    insert.run(text, Buffer.alloc(bytes, this.#count));
    if (isKept) say(`wrote ${text}`);
  }

  async #follow(): Promise<void> {
    this.#primary.capture();
    await follow(this.#primary, this.#replica);
    say(`has ${this.#replica.position().txid} ${this.#homes[1]}`);
  }

  #retain(): void {
    for (const node of [this.#primary, this.#replica]) {
      node.log?.removeThrough(Math.min(node.syncedTxid, (node.log?.lastTxid ?? 0) - 3));
    }
  }

  /** The replica loses everything it has. */
  async #reseed(): Promise<void> {
    const [, home] = this.#homes;
    this.#replica.close();
    say('forgets');
    for (const suffix of ['', '-wal', '-shm']) rmSync(pathIn(home) + suffix, { force: true });
    rmSync(join(home, 'state'), { recursive: true, force: true });
    this.#replica = openNode(home);
    await this.#follow();
  }

  #reopen(): void {
    const [home, other] = this.#homes;
    if (this.#random.below(2) === 0) {
      this.#replica.close();
      this.#replica = openNode(other);
      return;
    }
    if (this.#random.below(2) === 0) this.#closeApp();
    this.#primary.close();
    this.#primary = openNode(home);
    this.#epoch = this.#nextEpoch();
    this.#primary.becomePrimary(this.#epoch);
  }

  async #swap(): Promise<void> {
    this.#primary.becomeReplica();
    this.#closeApp();
    await follow(this.#primary, this.#replica);
    this.#promote();
    await this.#follow();
  }

  /** The replica takes over although the primary has more. */
  #diverge(): void {
    if (this.#replica.position().txid === 0) return;
    this.#write(10);
    this.#primary.capture();
    say('forgets');
    this.#primary.becomeReplica();
    this.#closeApp();
    this.#promote();
  }

  #promote(): void {
    this.#epoch = this.#nextEpoch();
    this.#replica.becomePrimary(this.#epoch);
    [this.#primary, this.#replica] = [this.#replica, this.#primary];
    this.#homes = [this.#homes[1], this.#homes[0]];
  }

  #closeApp(): void {
    this.#app?.close();
    this.#app = undefined;
  }

  #nextEpoch(): number {
    const epochs = [this.#primary, this.#replica].map((node) => node.history().highestEpoch);
    return Math.max(...epochs) + 1;
  }
}

function say(line: string): void {
  writeSync(1, `${line}\n`);
}
