import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { endChild, type Child } from './child-processes.ts';
import { watchOutput } from './child-result.ts';
import { readCpuTimes, type CpuTimes } from './process-usage.ts';
import type { ServerContext } from './server-process.ts';
import { TANDEM_PROGRAM } from './tandem-program.ts';

const START_TIMEOUT_MS = 600_000;
const STOP_TIMEOUT_MS = 60_000;
const READY_INTERVAL_MS = 5;
/** Shared by all nodes; they listen on the loopback only. */
export const TANDEM_TOKEN = 'a-token-for-benchmarks';

/** Keys of `tandem.yml`. */
export interface TandemKeys {
  readonly [key: string]: string | number | boolean | TandemKeys;
}

/** One node and where it keeps everything. */
export interface TandemNodePlan {
  readonly name: string;
  /** Databases, state and configuration are in it. It is made when it is not there. */
  readonly folder: string;
  readonly port: number;
  /** Everything beside names, folders and addresses. */
  readonly keys: TandemKeys;
}

/** Where the databases of a node are. */
export function databasePathOf(plan: Pick<TandemNodePlan, 'folder'>, name: string): string {
  return join(plan.folder, 'databases', name);
}

/** The daemon in a process of its own, beside applications that others start. */
export class TandemNode {
  readonly url: string;
  readonly #child: Child;
  readonly #startMs: number;
  readonly #output: () => string;

  private constructor(child: Child, url: string, startMs: number) {
    this.#child = child;
    this.url = url;
    this.#startMs = startMs;
    this.#output = watchOutput(child);
  }

  /** Writes the configuration and starts the daemon. Await `untilReady` before using it. */
  static start(context: ServerContext, plan: TandemNodePlan): TandemNode {
    const { name, folder, port, keys } = plan;
    const url = `http://127.0.0.1:${port}`;
    mkdirSync(join(folder, 'databases'), { recursive: true });
    const config = join(folder, 'tandem.yml');
    const own = {
      databases: { folder: join(folder, 'databases') },
      state: { folder: join(folder, 'state') },
      node: { name, 'advertise-url': url },
      http: { listen: `127.0.0.1:${port}`, token: TANDEM_TOKEN },
    };
    writeFileSync(config, JSON.stringify({ ...own, ...keys }));
    const { profileDir } = context;
    const profiling =
      profileDir === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${profileDir}`];
    const startMs = performance.now();
    const child = context.children.startNode([
      ...profiling,
      TANDEM_PROGRAM,
      'start',
      '--config',
      config,
    ]);
    return new TandemNode(child, url, startMs);
  }

  /**
   * Waits until the node says that it is ready; the time since its start in milliseconds. Where it takes
   * long and the node's processor time is measured, it is better not to ask often.
   */
  untilReady(intervalMs = READY_INTERVAL_MS): Promise<number> {
    return this.#untilOk('/readyz', intervalMs);
  }

  /** Waits until the node answers at all; the time since its start in milliseconds. */
  untilAlive(): Promise<number> {
    return this.#untilOk('/livez', READY_INTERVAL_MS);
  }

  /** The last transaction of a database; 0 while there is none. */
  async txid(database: string): Promise<number> {
    const answer = await this.#ask('/tandem/position');
    const { positions } = (await answer.json()) as {
      readonly positions: Readonly<Record<string, { readonly txid: number }>>;
    };
    return positions[database]?.txid ?? 0;
  }

  /** Asks the node to pass the lease on; resolves when another has it. */
  async handOff(): Promise<void> {
    const answer = await this.#ask('/handoff', 'POST');
    const text = await answer.text();
    if (!answer.ok) throw new Error(`The hand-off failed: ${text}\n${this.#output()}`);
  }

  async isPrimary(): Promise<boolean> {
    const answer = await this.#ask('/info');
    const { isPrimary } = (await answer.json()) as { readonly isPrimary: boolean };
    return isPrimary;
  }

  cpuTimes(): CpuTimes | undefined {
    return readCpuTimes(this.#child.pid ?? 0);
  }

  /** Ends it in an orderly way. */
  async stop(): Promise<void> {
    await endChild(this.#child, STOP_TIMEOUT_MS);
  }

  /** Kills it where it stands; resolves when it is gone. */
  async kill(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#child.once('exit', () => resolve());
    this.#child.kill('SIGKILL');
    await promise;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  async #untilOk(path: string, intervalMs: number): Promise<number> {
    for (;;) {
      const isReady = await this.#isOk(path);
      const sinceMs = performance.now() - this.#startMs;
      if (isReady) return sinceMs;
      if (this.#child.exitCode !== null) throw new Error(`A daemon ended.\n${this.#output()}`);
      if (sinceMs > START_TIMEOUT_MS) throw new Error(`A daemon is not ready.\n${this.#output()}`);
      await pause(intervalMs);
    }
  }

  async #isOk(path: string): Promise<boolean> {
    try {
      const answer = await this.#ask(path);
      await answer.text();
      return answer.ok;
    } catch {
      return false;
    }
  }

  #ask(path: string, method = 'GET'): Promise<Response> {
    const headers = { authorization: `Bearer ${TANDEM_TOKEN}` };
    return fetch(this.url + path, { method, headers });
  }
}
