import { setTimeout as pause } from 'node:timers/promises';
import { endChild, type Child } from './child-processes.ts';
import { watchOutput } from './child-result.ts';
import { freePort } from './free-port.ts';
import type { BenchContext } from '../workload.ts';

const START_MS_MAX = 30_000;
const LOOK_MS = 50;
const STOP_MS = 2000;

/** A real etcd on free ports of the loopback, with its data in a folder of the run. */
export class EtcdProcess {
  readonly url: string;
  readonly #child: Child;

  private constructor(child: Child, url: string) {
    this.#child = child;
    this.url = url;
  }

  /** Starts the machine's `etcd` and waits until it is healthy. Throws when there is none. */
  static async start({ children, work }: BenchContext): Promise<EtcdProcess> {
    const [url, peerUrl] = [await freeUrl(), await freeUrl()];
    const flags = Object.entries({
      'data-dir': work.make('etcd'),
      'listen-client-urls': url,
      'advertise-client-urls': url,
      'listen-peer-urls': peerUrl,
      'initial-advertise-peer-urls': peerUrl,
      'initial-cluster': `default=${peerUrl}`,
    });
    const child = children.start(
      'etcd',
      flags.map(([name, value]) => `--${name}=${value}`),
    );
    const output = watchOutput(child);
    const startMs = performance.now();
    while (!(await isHealthy(url))) {
      const isLate = performance.now() - startMs > START_MS_MAX;
      if (isLate || child.exitCode !== null) throw new Error(`etcd does not start.\n${output()}`);
      await pause(LOOK_MS);
    }
    return new EtcdProcess(child, url);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await endChild(this.#child, STOP_MS);
  }
}

async function freeUrl(): Promise<string> {
  return `http://127.0.0.1:${await freePort()}`;
}

async function isHealthy(url: string): Promise<boolean> {
  try {
    const answer = await fetch(`${url}/health`);
    return (await answer.text()).includes('true');
  } catch {
    return false;
  }
}
