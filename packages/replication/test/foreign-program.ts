import { spawn, spawnSync, type ChildProcessByStdio } from 'node:child_process';
import { once } from 'node:events';
import { createInterface, type Interface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import type { TestContext } from 'vitest';

const SCRIPT = fileURLToPath(new URL('./foreign-app.py', import.meta.url));

/** Skips the test where the machine lacks a program. */
export function needProgram(context: TestContext, name: string): void {
  if (spawnSync(name, ['--version'], { stdio: 'ignore' }).error === undefined) return;
  context.skip(`needs ${name}: it is the application of this test`);
}

/** A Python program that uses its own SQLite as it is told to. */
export class ForeignProgram {
  readonly #process: ChildProcessByStdio<Writable, Readable, null>;
  readonly #lines: Interface;
  readonly #waiting: ((line: string) => void)[] = [];

  constructor() {
    this.#process = spawn('python3', [SCRIPT], { stdio: ['pipe', 'pipe', 'inherit'] });
    this.#lines = createInterface({ input: this.#process.stdout });
    this.#lines.on('line', (line) => this.#waiting.shift()?.(line));
    this.#process.stdin.on('error', () => {});
  }

  /** Opens a connection that waits for locks as long as that. */
  async open(path: string, name = 'main', timeoutSeconds = 5): Promise<void> {
    await this.#ask(name, 'open', [path, timeoutSeconds]);
  }

  async close(name = 'main'): Promise<void> {
    await this.#ask(name, 'close', []);
  }

  /** Runs one statement and returns its rows. @throws Error with SQLite's message. */
  run(sql: string, name = 'main'): Promise<unknown[][]> {
    return this.#ask(name, 'run', [sql]);
  }

  /** Inserts rows, each in a transaction of its own unless one is open. */
  async fill(
    table: string,
    options: { readonly rows: number; readonly bytesMax?: number; readonly name?: string },
  ): Promise<void> {
    const { rows, bytesMax = 500, name = 'main' } = options;
    await this.#ask(name, 'fill', [table, rows, bytesMax]);
  }

  /** Ends it at once, whatever it is doing. */
  async kill(): Promise<void> {
    if (this.#process.exitCode !== null || this.#process.signalCode !== null) return;
    this.#process.kill('SIGKILL');
    await once(this.#process, 'close');
  }

  async #ask(name: string, action: string, parameters: unknown[]): Promise<unknown[][]> {
    const reply = new Promise<string>((resolve) => this.#waiting.push(resolve));
    this.#process.stdin.write(`${JSON.stringify([name, action, parameters])}\n`);
    const { rows, error }: { rows?: unknown[][]; error?: string } = JSON.parse(await reply);
    if (error !== undefined) throw new Error(error);
    return rows ?? [];
  }
}

/** Runs statements in the sqlite3 shell and returns what it prints. @throws Error with its message. */
export function runShell(path: string, sql: string): string {
  const shell = spawnSync('sqlite3', ['-bail', path], { input: sql, encoding: 'utf8' });
  if (shell.status !== 0) throw new Error(shell.stderr);
  return shell.stdout.trim();
}
