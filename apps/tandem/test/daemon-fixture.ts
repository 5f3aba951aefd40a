import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { spawnSync } from 'node:child_process';
import { afterEach, type TestContext } from 'vitest';
import { DaemonProcess, type DaemonOptions, type NodePorts } from './daemon-process.ts';

/** An unmodified program of Python, which keeps notes: `POST /NAME` writes one to `NAME.db`. */
export const PYTHON_APP = fileURLToPath(new URL('notes-app.py', import.meta.url));
export const APPLICATION = ['python3', PYTHON_APP, '{database}', '{port}'];

/** Some nodes of a cluster, and how to start one of them again. */
export interface Daemons {
  readonly nodes: DaemonProcess[];
  readonly restart: (index: number) => DaemonProcess;
}

/** What the tests of a file start is ended, and their folders are removed, after each of them. */
export class DaemonFixture {
  readonly #cleanups: (() => unknown)[] = [];

  constructor() {
    afterEach(async () => {
      for (const cleanup of this.#cleanups.splice(0).toReversed()) await cleanup();
    });
  }

  onEnd(cleanup: () => unknown): void {
    this.#cleanups.push(cleanup);
  }

  /** An empty folder. */
  folder(): string {
    const folder = mkdtempSync(join(tmpdir(), 'tandem-daemon-'));
    this.onEnd(() => rmSync(folder, { recursive: true, force: true }));
    return folder;
  }

  /** One node by itself, which is primary. */
  async one(
    settings: readonly string[] = [],
    more: Partial<DaemonOptions> = {},
  ): Promise<DaemonProcess> {
    const ports = await DaemonProcess.ports();
    const options = { name: 'one', folder: this.folder(), settings, application: APPLICATION };
    const node = DaemonProcess.start({ ...options, ...more }, ports);
    this.onEnd(() => node.kill());
    return node.ready();
  }

  /** Two nodes that name their ports to each other, which is all that `settings` has to know. */
  async pair(
    settings: (ports: readonly NodePorts[]) => readonly string[],
    more: Partial<DaemonOptions> = {},
  ): Promise<Daemons> {
    const home = this.folder();
    const ports = [await DaemonProcess.ports(), await DaemonProcess.ports()];
    const options = ['one', 'two'].map((name) => ({
      name,
      folder: join(home, name),
      settings: settings(ports),
      application: APPLICATION,
      ...more,
    }));
    const restart = (index: number): DaemonProcess => {
      const [own, port] = [options[index], ports[index]];
      if (own === undefined || port === undefined) throw new RangeError('there are two nodes');
      const node = DaemonProcess.start(own, port);
      this.onEnd(() => node.kill());
      return node;
    };
    const nodes = [await restart(0).ready(), await restart(1).ready()];
    return { nodes, restart };
  }

  /** A pair of which the first is primary for good. */
  staticPair(
    settings: readonly string[] = [],
    more: Partial<DaemonOptions> = {},
  ): Promise<Daemons> {
    const peers = (ports: readonly NodePorts[]): string =>
      ports
        .map(({ api }, at) => `${at === 0 ? 'one' : 'two'}: "http://127.0.0.1:${api}"`)
        .join(', ');
    return this.pair(
      (ports) => [
        `lease: {type: static, static: {primary: one, peers: {${peers(ports)}}}}`,
        ...settings,
      ],
      more,
    );
  }
}

export function hasProgram(name: string): boolean {
  return spawnSync('sh', ['-c', `command -v ${name}`]).status === 0;
}

/** Skips the test where the program is not installed. */
export function needProgram(context: TestContext, name: string): void {
  if (!hasProgram(name)) context.skip(`needs ${name}: it is not installed`);
}

/** Has the application write a note. @returns the status, or 0 without an answer */
export async function post(node: DaemonProcess, text: string, path = '/'): Promise<number> {
  try {
    const signal = AbortSignal.timeout(20_000);
    const answer = await fetch(`${node.url}${path}`, { method: 'POST', body: text, signal });
    await answer.text();
    return answer.status;
  } catch {
    return 0;
  }
}

/** All notes, as the application of this node reads them. */
export async function notes(
  node: DaemonProcess,
  path = '/',
  headers: Readonly<Record<string, string>> = {},
): Promise<string[]> {
  return (await (await fetch(`${node.url}${path}`, { headers })).json()) as string[];
}
