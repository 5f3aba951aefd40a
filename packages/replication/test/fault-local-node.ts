import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import {
  SimApp,
  type ReadRequest,
  type ReadResult,
  type SimAction,
  type SimAudit,
  type SimSettings,
  type SimStatus,
  type WriteRequest,
  type WriteResult,
} from './fault-app.ts';
import { actingAs } from './fault-network.ts';
import type { SimNode } from './fault-world.ts';
import type { MemoryLeases } from './memory-lease.ts';

const LINES_MAX = 400;
const NOT_UP = { kind: 'refused', why: 'it is not up' } as const;

/** A node in this process. */
export class LocalNode implements SimNode {
  readonly can = { kill: false, pause: false, fillDisk: false };
  readonly port: number;
  readonly logged: string[] = [];
  readonly #server: Server;
  #app: SimApp | undefined;

  private constructor(server: Server) {
    this.#server = server;
    this.port = (server.address() as AddressInfo).port;
    server.on('upgrade', (request, socket, head) => {
      if (this.#app === undefined) socket.destroy();
      else this.#app.upgrade(request, socket, head);
    });
    server.on('request', (request, response) => {
      if (this.#app === undefined) response.destroy();
      else void this.#app.answer(request, response);
    });
  }

  static async make(): Promise<LocalNode> {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return new LocalNode(server);
  }

  get isUp(): boolean {
    return this.#app !== undefined;
  }

  async start(settings: SimSettings, leases: MemoryLeases): Promise<void> {
    const store = leases.store(settings.identity);
    const { name } = settings.identity;
    const plain = new SimApp(settings, store, (level, message, facts) => {
      const atMs = Math.round(performance.now());
      this.logged.push(
        `${atMs} ${settings.identity.id} ${level} ${message} ${JSON.stringify(facts)}`,
      );
      if (this.logged.length > LINES_MAX) this.logged.shift();
    });
    this.#app = actingAs(name, plain);
    this.#app.start();
  }

  async stop(): Promise<void> {
    const app = this.#app;
    this.#app = undefined;
    await app?.stop();
  }

  async kill(): Promise<void> {
    throw new Error('a node in this process cannot be killed');
  }

  pause(): void {
    throw new Error('a node in this process cannot be paused');
  }

  resume(): void {}

  async write(request: WriteRequest): Promise<WriteResult> {
    return (await this.#app?.write(request)) ?? NOT_UP;
  }

  async read(request: ReadRequest): Promise<ReadResult | undefined> {
    return this.#app?.read(request);
  }

  async status(): Promise<SimStatus | undefined> {
    return this.#app?.status();
  }

  async act(action: SimAction): Promise<string> {
    return (await this.#app?.act(action)) ?? NOT_UP.why;
  }

  async audit(): Promise<SimAudit> {
    if (this.#app === undefined) throw new Error(NOT_UP.why);
    return this.#app.audit();
  }

  async close(): Promise<void> {
    await this.stop();
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}
