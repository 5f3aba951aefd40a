import { renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const PRELOAD = new URL('./settable-clock.ts', import.meta.url);

/** The time of the servers and commands that run in its `env`: it passes when a test says so. */
export class ServerClock {
  /** What a process needs in its environment to go by this clock. */
  readonly env: Readonly<Record<string, string>>;
  readonly #path: string;
  #nowMs: number;

  /** Stands at `startMs`, and keeps the time in a file in `folder`. */
  constructor(folder: string, startMs: number) {
    this.#path = join(folder, 'clock');
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
}
