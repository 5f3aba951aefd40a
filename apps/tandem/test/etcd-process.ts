import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort } from './free-port.ts';

/** A real etcd on free ports of the loopback, with a folder of its own. */
export class EtcdProcess implements AsyncDisposable {
  readonly url: string;
  readonly #process: ChildProcess;
  readonly #folder: string;

  private constructor(process: ChildProcess, folder: string, url: string) {
    this.#process = process;
    this.#folder = folder;
    this.url = url;
  }

  static async start(): Promise<EtcdProcess> {
    const folder = mkdtempSync(join(tmpdir(), 'tandem-etcd-'));
    const [port, peerPort] = [await freePort(), await freePort()];
    const [url, peerUrl] = [`http://127.0.0.1:${port}`, `http://127.0.0.1:${peerPort}`];
    const parameters = [
      `--data-dir=${folder}`,
      '--unsafe-no-fsync',
      `--initial-cluster=default=${peerUrl}`,
      `--listen-client-urls=${url}`,
      `--advertise-client-urls=${url}`,
      `--listen-peer-urls=${peerUrl}`,
      `--initial-advertise-peer-urls=${peerUrl}`,
    ];
    const child = spawn('etcd', parameters, { stdio: 'ignore' });
    const etcd = new EtcdProcess(child, folder, url);
    while (!(await isHealthy(url))) {
      if (child.exitCode !== null) throw new Error(`etcd ended with ${child.exitCode}`);
      await sleep(50);
    }
    return etcd;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#process.kill('SIGKILL');
    await once(this.#process, 'exit');
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

async function isHealthy(url: string): Promise<boolean> {
  try {
    return (await fetch(`${url}/health`)).ok;
  } catch {
    return false;
  }
}
