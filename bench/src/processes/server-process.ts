import { setTimeout as pause } from 'node:timers/promises';
import { endChild, type Child, type ChildProcesses } from './child-processes.ts';
import { LOGGIA_PROGRAM } from './loggia-program.ts';
import { readCpuTimes, readMemory, type CpuTimes, type MemoryUse } from './process-usage.ts';

const START_TIMEOUT_MS = 120_000;
const STOP_TIMEOUT_MS = 30_000;
const READY_INTERVAL_MS = 5;

/** What it takes to start a server. */
export interface ServerContext {
  readonly children: ChildProcesses;
  /** Where its threads leave CPU profiles when it ends; undefined: nowhere. */
  readonly profileDir: string | undefined;
}

/** One row of a report's answer. */
export interface ReportRow {
  readonly dimensions: readonly unknown[];
  readonly metrics: readonly unknown[];
}

/** The real server in a process of its own, without rate limits, on a free port. */
export class ServerProcess {
  readonly pid: number;
  readonly port: number;
  readonly url: string;
  /** From its start until it listened. */
  readonly listeningMs: number;
  readonly #child: Child;
  readonly #startMs: number;

  private constructor(child: Child, port: number, startMs: number) {
    this.#child = child;
    this.pid = child.pid ?? 0;
    this.port = port;
    this.url = `http://127.0.0.1:${port}`;
    this.#startMs = startMs;
    this.listeningMs = performance.now() - startMs;
  }

  /** Starts a server on `dataDir`, which need not exist, and waits until it listens. */
  static async start(context: ServerContext, dataDir: string): Promise<ServerProcess> {
    const { profileDir } = context;
    const profiling =
      profileDir === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${profileDir}`];
    const startMs = performance.now();
    const child = context.children.startNode(
      [...profiling, LOGGIA_PROGRAM, 'serve', '--data-dir', dataDir],
      { LOGGIA_LISTEN: '127.0.0.1:0', LOGGIA_RATE_LIMITS: 'off' },
    );
    return new ServerProcess(child, await portOf(child), startMs);
  }

  /** Waits until the server says that it is ready; the time since its start. */
  async untilReady(): Promise<number> {
    for (;;) {
      const response = await fetch(`${this.url}/readyz`);
      await response.text();
      const sinceMs = performance.now() - this.#startMs;
      if (response.ok) return sinceMs;
      if (sinceMs > START_TIMEOUT_MS) throw new Error('The server does not get ready.');
      await pause(READY_INTERVAL_MS);
    }
  }

  cpuTimes(): CpuTimes | undefined {
    return readCpuTimes(this.pid);
  }

  memory(): MemoryUse | undefined {
    return readMemory(this.pid);
  }

  /** The rows of a report. Throws on any other answer than 200. */
  async query(key: string, query: Readonly<Record<string, unknown>>): Promise<ReportRow[]> {
    const answer = (await this.post('/api/v2/query', key, JSON.stringify(query))) as {
      readonly results: ReportRow[];
    };
    return answer.results;
  }

  /** Posts JSON with a key and returns the JSON of the answer. Throws when it is an error. */
  async post(path: string, key: string, body: string): Promise<unknown> {
    const response = await fetch(this.url + path, {
      method: 'POST',
      headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
      body,
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`${path} answered ${response.status}: ${text}`);
    return JSON.parse(text);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await endChild(this.#child, STOP_TIMEOUT_MS);
  }
}

/** The port that a server names in its log. */
async function portOf(child: Child): Promise<number> {
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  let output = '';
  const timer = setTimeout(() => {
    reject(new Error(`The server does not listen.\n${output}`));
  }, START_TIMEOUT_MS);
  const read = (chunk: string): void => {
    output += chunk;
    const port = /"listening":"127\.0\.0\.1:(?<port>\d+)"/.exec(output)?.groups?.['port'];
    if (port !== undefined) resolve(Number(port));
  };
  child.stdout.setEncoding('utf8').on('data', read);
  child.stderr.setEncoding('utf8').on('data', read);
  child.once('close', () => reject(new Error(`The server ended.\n${output}`)));
  try {
    return await promise;
  } finally {
    clearTimeout(timer);
    // Both must go on being read, or the server stops at a full pipe.
    child.stdout.off('data', read).resume();
    child.stderr.off('data', read).resume();
  }
}
