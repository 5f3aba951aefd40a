import { monitorEventLoopDelay } from 'node:perf_hooks';
import type { ProcessFacts } from './metric-definition.ts';

const RESOLUTION_MS = 20;

/** Reads what the system says of this process. */
export class ProcessReader {
  readonly #delay: ReturnType<typeof monitorEventLoopDelay>;

  constructor() {
    this.#delay = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
    this.#delay.enable();
  }

  /** The facts now; the longest stall is forgotten with each reading. */
  read(): ProcessFacts {
    const { user, system } = process.cpuUsage();
    const { rss, heapUsed } = process.memoryUsage();
    const stallSeconds = this.#delay.max / 1e9 - RESOLUTION_MS / 1000;
    this.#delay.reset();
    return {
      cpuSeconds: (user + system) / 1e6,
      residentBytes: rss,
      heapUsedBytes: heapUsed,
      stallSecondsMax: Math.max(0, stallSeconds),
    };
  }

  close(): void {
    this.#delay.disable();
  }
}
