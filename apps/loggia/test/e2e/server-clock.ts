import { renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { temporaryFolder } from '../test-server.ts';

const PRELOAD = new URL('./settable-clock.ts', import.meta.url);

/** The time of the servers and commands that run in its `env`: it passes when a test says so. */
export class ServerClock {
  /** What a process needs in its environment to go by this clock. */
  readonly env: Readonly<Record<string, string>>;
  readonly #folder = temporaryFolder();
  readonly #path = join(this.#folder, 'clock');
  #nowMs: number;

  constructor(startMs: number) {
    this.#nowMs = startMs;
    this.env = { NODE_OPTIONS: `--import=${PRELOAD.href}`, TEST_CLOCK_FILE: this.#path };
    this.pass(0);
  }

  get nowMs(): number {
    return this.#nowMs;
  }

  /** Moves on. The file is replaced at once, so that no reader finds half of a number. */
  pass(timeMs: number): void {
    this.#nowMs += timeMs;
    writeFileSync(`${this.#path}.next`, String(this.#nowMs));
    renameSync(`${this.#path}.next`, this.#path);
  }

  [Symbol.dispose](): void {
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
