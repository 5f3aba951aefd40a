import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { request } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';

/** A real etcd on free ports of the loopback, with a folder of its own. */
export class EtcdServer {
  readonly #process: ChildProcess;
  readonly #folder: string;
  readonly port: number;

  private constructor(process: ChildProcess, folder: string, port: number) {
    this.#process = process;
    this.#folder = folder;
    this.port = port;
  }

  static async start(): Promise<EtcdServer> {
    const folder = await mkdtemp(join(tmpdir(), 'etcd-'));
    // Its gateway does not work with port 0, so a port that was free a moment ago must do.
    const [port, peerPort] = await Promise.all([freePort(), freePort()]);
    const [url, peerUrl] = [`http://127.0.0.1:${port}`, `http://127.0.0.1:${peerPort}`];
    const parameters = Object.entries({
      'data-dir': folder,
      logger: 'zap',
      'listen-client-urls': url,
      'advertise-client-urls': url,
      'listen-peer-urls': peerUrl,
      'initial-advertise-peer-urls': peerUrl,
      'initial-cluster': `default=${peerUrl}`,
      'unsafe-no-fsync': 'true',
    }).map(([name, value]) => `--${name}=${value}`);
    const child = spawn('etcd', parameters, { stdio: 'ignore' });
    const server = new EtcdServer(child, folder, port);
    while (!(await server.#isHealthy())) {
      if (child.exitCode !== null) throw new Error(`etcd ended with ${child.exitCode}`);
      await sleep(50);
    }
    return server;
  }

  /** One call of the JSON gateway, beside the lease's own client. */
  async call(path: string, body: unknown): Promise<Record<string, unknown>> {
    const text = await this.#exchange('POST', path, JSON.stringify(body));
    return JSON.parse(text) as Record<string, unknown>;
  }

  async close(): Promise<void> {
    if (this.#process.exitCode === null) {
      this.#process.kill('SIGKILL');
      await once(this.#process, 'exit');
    }
    await rm(this.#folder, { recursive: true, force: true });
  }

  async #isHealthy(): Promise<boolean> {
    try {
      return (await this.#exchange('GET', '/health', '')).includes('true');
    } catch {
      return false;
    }
  }

  #exchange(method: string, path: string, body: string): Promise<string> {
    const { promise, resolve, reject } = Promise.withResolvers<string>();
    const sent = request({ host: '127.0.0.1', port: this.port, method, path }, (answer) => {
      let text = '';
      answer.setEncoding('utf8');
      answer.on('data', (chunk: string) => {
        text += chunk;
      });
      answer.on('end', () => resolve(text));
    });
    sent.on('error', reject);
    sent.end(body);
    return promise;
  }
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}
