import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { KeyScope, Site, SiteSettings } from '@loggia/contract';
import { Journal } from '@loggia/journal';

const BIN = fileURLToPath(new URL('../bin/loggia.js', import.meta.url));
const START_TIMEOUT_MS = 60_000;
/** A browser that nobody takes for a bot. */
export const FIREFOX = 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0';

export interface TestServerOptions {
  /** A folder of its own when absent, which `dispose` removes. */
  readonly dataDir?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly flags?: readonly string[];
  /** Runs the server under another command, such as `setpriv`. */
  readonly under?: readonly string[];
}

/** How a server ended. */
export interface Ending {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** How a server ended that did not come to listen. */
export interface Refusal {
  readonly code: number | null;
  /** Everything it has printed. */
  readonly output: string;
}

/** A folder for one test's data. */
export function temporaryFolder(): string {
  return mkdtempSync(join(tmpdir(), 'loggia-test-'));
}

/** Processes that do not listen yet, by their data folder. */
const starting = new Map<string, ChildProcess>();

/** The real server in a process of its own, on a free port of the loopback address. */
export class TestServer {
  readonly dataDir: string;
  readonly url: string;
  readonly process: ChildProcess;
  /** Everything it has printed. */
  readonly output: () => string;
  readonly ended: Promise<Ending>;
  readonly #ownsFolder: boolean;

  private constructor(parts: {
    dataDir: string;
    url: string;
    process: ChildProcess;
    output: () => string;
    ended: Promise<Ending>;
    ownsFolder: boolean;
  }) {
    this.dataDir = parts.dataDir;
    this.url = parts.url;
    this.process = parts.process;
    this.output = parts.output;
    this.ended = parts.ended;
    this.#ownsFolder = parts.ownsFolder;
  }

  /** Starts a server and waits until it listens. Throws with its output when it ends before. */
  static async start(options: TestServerOptions = {}): Promise<TestServer> {
    const dataDir = options.dataDir ?? temporaryFolder();
    const launched = launch(dataDir, options);
    const url = await launched.listening;
    return new TestServer({ dataDir, url, ownsFolder: options.dataDir === undefined, ...launched });
  }

  /** Starts a server that is expected to refuse. Throws when it listens. */
  static async refusal(options: TestServerOptions & { dataDir: string }): Promise<Refusal> {
    const launched = launch(options.dataDir, options);
    const isListening = await launched.listening.then(
      () => true,
      () => false,
    );
    if (isListening) {
      launched.process.kill('SIGKILL');
      throw new Error(`The server started all the same.\n${launched.output()}`);
    }
    const { code } = await launched.ended;
    return { code, output: launched.output() };
  }

  /** Kills the server that is about to start on `dataDir`. */
  static killStarting(dataDir: string): void {
    starting.get(dataDir)?.kill('SIGKILL');
  }

  /** Runs `change` on the server's own journal, as the command line does while it runs. */
  change<Result>(change: (journal: Journal) => Result): Result {
    using journal = Journal.open({ folder: this.dataDir });
    return change(journal);
  }

  addSite(domain: string, timezone = 'UTC', settings: Partial<SiteSettings> = {}): Site {
    return this.change((journal) =>
      journal.sites.create({ domain, timezone, settings, nowMs: Date.now() }),
    );
  }

  addKey(...scopes: KeyScope[]): string {
    return this.change(
      (journal) => journal.keys.create({ name: 'test', scopes, nowMs: Date.now() }).key,
    );
  }

  /** Sends an event as a browser does. */
  sendEvent(
    event: Readonly<Record<string, unknown>>,
    headers: Readonly<Record<string, string>> = {},
  ): Promise<Response> {
    return fetch(`${this.url}/api/event`, {
      method: 'POST',
      headers: { 'content-type': 'text/plain', 'user-agent': FIREFOX, ...headers },
      body: JSON.stringify(event),
    });
  }

  /** Asks with a key and a JSON body, if there is one. */
  ask(
    method: string,
    path: string,
    { key, body }: { readonly key?: string; readonly body?: unknown } = {},
  ): Promise<Response> {
    return fetch(this.url + path, {
      method,
      headers: {
        ...(key === undefined ? {} : { authorization: `Bearer ${key}` }),
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
  }

  /** The results of a query of version 2; throws on any other answer than 200. */
  async query(
    key: string,
    query: Readonly<Record<string, unknown>>,
  ): Promise<{ dimensions: unknown[]; metrics: unknown[] }[]> {
    const response = await this.ask('POST', '/api/v2/query', { key, body: query });
    const text = await response.text();
    if (response.status !== 200) throw new Error(`${response.status}: ${text}`);
    const answer = JSON.parse(text) as {
      results: { dimensions: unknown[]; metrics: unknown[] }[];
    };
    return answer.results;
  }

  /** Asks the server to stop and waits until it has. */
  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<Ending> {
    this.process.kill(signal);
    return await this.ended;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop('SIGKILL');
    if (this.#ownsFolder) rmSync(this.dataDir, { recursive: true, force: true });
  }
}

function launch(
  dataDir: string,
  options: TestServerOptions,
): {
  process: ChildProcess;
  output: () => string;
  ended: Promise<Ending>;
  listening: Promise<string>;
} {
  const args = [BIN, 'serve', '--data-dir', dataDir, ...(options.flags ?? [])];
  const command = [...(options.under ?? []), process.execPath, ...args];
  const child = spawn(command[0] ?? process.execPath, command.slice(1), {
    env: { PATH: process.env['PATH'], LOGGIA_LISTEN: '127.0.0.1:0', ...options.env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  starting.set(dataDir, child);
  let output = '';
  const ending = Promise.withResolvers<Ending>();
  const listening = Promise.withResolvers<string>();
  const timer = setTimeout(() => {
    listening.reject(new Error(`The server does not listen after a minute.\n${output}`));
  }, START_TIMEOUT_MS);
  const read = (chunk: string): void => {
    output += chunk;
    const match = /"listening":"(127\.0\.0\.1|\[?::1?\]?|0\.0\.0\.0):(\d+)"/.exec(output);
    if (match !== null) listening.resolve(`http://127.0.0.1:${match[2]}`);
  };
  child.stdout.setEncoding('utf8').on('data', read);
  child.stderr.setEncoding('utf8').on('data', read);
  child.on('error', (error) => listening.reject(error));
  child.on('close', (code, signal) => {
    clearTimeout(timer);
    ending.resolve({ code, signal });
    listening.reject(new Error(`The server ended (${code ?? signal}) at start.\n${output}`));
  });
  listening.promise.then(
    () => clearTimeout(timer),
    () => clearTimeout(timer),
  );
  return {
    process: child,
    output: () => output,
    ended: ending.promise,
    listening: listening.promise,
  };
}
