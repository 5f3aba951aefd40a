import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { freePort } from './free-port.ts';

const PROGRAM = fileURLToPath(new URL('../bin/tandem.js', import.meta.url));
export const TOKEN = 'a-token-of-the-tests-0123456789';

export interface DaemonOptions {
  readonly name: string;
  /** The node's own folder; databases, state and configuration are in it. */
  readonly folder: string;
  /** Lines of tandem.yml beside those made here. */
  readonly settings: readonly string[];
  /** The whole configuration instead, and the name of its file. */
  readonly config?: { readonly name: string; readonly text: string };
  /** What runs under the daemon; `{port}` and `{database}` are replaced. */
  readonly application: readonly string[];
  /** What the daemon itself runs under. */
  readonly under?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

/** The ports of a node stay the same when it is started again. */
export interface NodePorts {
  readonly api: number;
  readonly proxy: number;
  readonly application: number;
}

/** A daemon with its application, as real processes in a process group of their own. */
export class DaemonProcess implements AsyncDisposable {
  readonly ports: NodePorts;
  readonly databases: string;
  readonly #process: ChildProcess;
  #log = '';

  private constructor(process: ChildProcess, ports: NodePorts, databases: string) {
    this.#process = process;
    this.ports = ports;
    this.databases = databases;
    for (const stream of [process.stdout, process.stderr]) {
      stream?.setEncoding('utf8').on('data', (text: string) => {
        this.#log += text;
      });
    }
  }

  static async ports(): Promise<NodePorts> {
    return { api: await freePort(), proxy: await freePort(), application: await freePort() };
  }

  static start(options: DaemonOptions, ports: NodePorts): DaemonProcess {
    const { name, folder, settings, application, under = [], env = {} } = options;
    const databases = join(folder, 'databases');
    mkdirSync(databases, { recursive: true });
    const config = join(folder, options.config?.name ?? 'tandem.yml');
    writeFileSync(
      config,
      options.config?.text ??
        [
          `databases: {folder: ${databases}}`,
          `state: {folder: ${join(folder, 'state')}}`,
          `node: {name: ${name}, advertise-url: "http://127.0.0.1:${ports.api}"}`,
          `http: {listen: "127.0.0.1:${ports.api}", token: ${TOKEN}}`,
          `proxy: {listen: "127.0.0.1:${ports.proxy}", target: "http://127.0.0.1:${ports.application}"}`,
          ...settings,
        ].join('\n'),
    );
    const words = application.map((word) =>
      word
        .replaceAll('{port}', String(ports.application))
        .replaceAll('{database}', join(databases, 'app.db')),
    );
    const [program = process.execPath, ...parameters] = [
      ...under,
      process.execPath,
      PROGRAM,
      'start',
      `--config=${config}`,
      ...(words.length === 0 ? [] : ['--', ...words]),
    ];
    const child = spawn(program, parameters, {
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
    });
    return new DaemonProcess(child, ports, databases);
  }

  get log(): string {
    return this.#log;
  }

  /** Resolves with the exit code when the daemon has ended by itself. */
  async ended(): Promise<number | null> {
    if (!this.#hasEnded) await once(this.#process, 'close');
    return this.#process.exitCode;
  }

  get url(): string {
    return `http://127.0.0.1:${this.ports.proxy}`;
  }

  /** Resolves when the proxy answers and the node is ready. */
  async ready(): Promise<this> {
    await until(async () => {
      if (this.#hasEnded) return true;
      const ready = await fetch(`http://127.0.0.1:${this.ports.api}/readyz`);
      const application = await fetch(`${this.url}/`);
      return ready.ok && application.status < 500;
    }, 'a ready daemon');
    if (this.#hasEnded) throw new Error(`the daemon ended:\n${this.#log}`);
    return this;
  }

  async info(): Promise<Readonly<Record<string, unknown>>> {
    return (await this.ask('GET', '/info')) as Readonly<Record<string, unknown>>;
  }

  async ask(method: string, path: string): Promise<unknown> {
    const answer = await fetch(`http://127.0.0.1:${this.ports.api}${path}`, {
      method,
      headers: { authorization: `Bearer ${TOKEN}` },
    });
    return answer.json();
  }

  /** SIGKILL for the daemon and its application, as when a container is killed. */
  async kill(): Promise<void> {
    if (this.#hasEnded || this.#process.pid === undefined) return;
    const ended = once(this.#process, 'exit');
    process.kill(-this.#process.pid, 'SIGKILL');
    await ended;
  }

  /** Stops the daemon alone, or lets it go on. */
  signal(signal: NodeJS.Signals): void {
    this.#process.kill(signal);
  }

  /** @returns the exit code */
  async terminate(): Promise<number | null> {
    const ended = once(this.#process, 'exit');
    this.#process.kill('SIGTERM');
    await ended;
    return this.#process.exitCode;
  }

  get #hasEnded(): boolean {
    return (this.#process.exitCode ?? this.#process.signalCode) !== null;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
  }
}

/** Asks again and again; an answer that cannot be had counts as no. */
export async function until(
  holds: () => boolean | Promise<boolean>,
  what: string,
  timeoutMs = 60_000,
): Promise<void> {
  const endMs = performance.now() + timeoutMs;
  let last: unknown;
  while (performance.now() < endMs) {
    try {
      if (await holds()) return;
    } catch (error) {
      last = error;
    }
    await sleep(20);
  }
  throw new Error(`not within ${timeoutMs} ms: ${what}`, { cause: last });
}
