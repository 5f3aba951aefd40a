import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { CaptureLoop } from '../src/capture-loop.ts';
import type { ReplicatedDatabase, ReplicatedDatabaseOptions } from '../src/replicated-database.ts';
import { areFilesEqual, follow, openNode, pathIn, problemOf } from './engine-nodes.ts';
import { ForeignProgram } from './foreign-program.ts';

/** A primary that a foreign program writes to, and its replica, each in a folder of its own. */
export class ForeignPair {
  readonly homes: readonly [string, string];
  readonly app = new ForeignProgram();
  readonly errors: unknown[] = [];
  readonly #programs = [this.app];
  readonly #options: Partial<ReplicatedDatabaseOptions>;
  readonly #loop = new CaptureLoop({
    onCommit: () => {},
    onError: (_, error) => this.errors.push(error),
  });
  #primary: ReplicatedDatabase | undefined;
  #replica: ReplicatedDatabase | undefined;

  constructor(options: Partial<ReplicatedDatabaseOptions> = {}) {
    const make = (name: string): string => mkdtempSync(join(tmpdir(), `tandem-foreign-${name}-`));
    this.homes = [make('a'), make('b')];
    this.#options = options;
  }

  get path(): string {
    return pathIn(this.homes[0]);
  }

  get replicaPath(): string {
    return pathIn(this.homes[1]);
  }

  get primary(): ReplicatedDatabase {
    if (this.#primary === undefined) throw new Error('it has not begun');
    return this.#primary;
  }

  get replica(): ReplicatedDatabase {
    if (this.#replica === undefined) throw new Error('it has not begun');
    return this.#replica;
  }

  /** Lets the application make the database, and both nodes open it. */
  async begin(pragmas = ''): Promise<void> {
    await this.app.open(this.path);
    for (const sql of pragmas.split(';')) if (sql !== '') await this.app.run(sql);
    await this.app.run('PRAGMA journal_mode=wal');
    await this.app.run('PRAGMA synchronous=OFF');
    await this.app.run(
      'CREATE TABLE IF NOT EXISTS item (id INTEGER PRIMARY KEY, text TEXT, pad BLOB)',
    );
    this.#primary = openNode(this.homes[0], this.#options);
    this.#replica = openNode(this.homes[1], this.#options);
    this.#primary.becomePrimary(1);
    await follow(this.#primary, this.#replica);
  }

  /** Captures from here on whenever something is committed. */
  watch(): void {
    this.#loop.add(this.primary);
  }

  /** Another program, which ends with the pair. */
  program(): ForeignProgram {
    const program = new ForeignProgram();
    this.#programs.push(program);
    return program;
  }

  stopReplica(): void {
    this.#replica?.close();
  }

  startReplica(): void {
    this.#replica = openNode(this.homes[1], this.#options);
  }

  /** Captures, follows, and says what is wrong then; nothing, as it should be. */
  async problems(): Promise<unknown[]> {
    this.primary.capture();
    const how = await follow(this.primary, this.replica);
    const isSame = this.replica.digest() === this.primary.digest();
    const found = [
      how === 'followed' ? '' : how,
      isSame ? '' : 'the digests differ',
      problemOf(this.primary),
      problemOf(this.replica),
    ];
    return [...found.filter((problem) => problem !== ''), ...this.errors];
  }

  /** As `problems`; then ends, and compares the files byte by byte. */
  async problemsAtEnd(): Promise<unknown[]> {
    const problems = await this.problems();
    await this.end();
    return areFilesEqual(...this.homes) ? problems : [...problems, 'the files differ'];
  }

  /** What a fresh reader of the replica finds. */
  ask(sql: string, path = this.replicaPath): unknown[] {
    const reader = new DatabaseSync(path, { readOnly: true });
    try {
      return reader.prepare(sql).all();
    } finally {
      reader.close();
    }
  }

  async end(): Promise<void> {
    this.#loop.close();
    await Promise.all(this.#programs.map((program) => program.kill()));
    this.#primary?.close();
    this.#replica?.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.end();
    for (const home of this.homes) rmSync(home, { recursive: true, force: true });
  }
}
