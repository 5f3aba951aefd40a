import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';

/**
 * What a link does:
 * - `open`: bytes pass, `delayMs` later;
 * - `cut`: connections are closed, new ones too;
 * - `stalled`: connections stand and are taken, and nothing passes, until the link is open again.
 */
export type LinkMode = 'open' | 'cut' | 'stalled';

interface Pipe {
  readonly client: Socket;
  readonly target: Socket;
  /** Bytes that wait, with their end. */
  readonly waiting: { readonly to: Socket; readonly bytes: Buffer; readonly atMs: number }[];
  /** One side has gone while the link was stalled; the other hears of it when it is open again. */
  isBroken: boolean;
}

/** A TCP proxy in front of one node, for those who reach it by one link. */
export class FaultProxy {
  readonly #server: Server;
  readonly #target: () => number;
  readonly #pipes = new Set<Pipe>();
  #mode: LinkMode = 'open';
  #delayMs = 0;
  #timer: NodeJS.Timeout | undefined;

  private constructor(target: () => number) {
    this.#target = target;
    this.#server = createServer({ allowHalfOpen: false }, (client) => this.#join(client));
  }

  /** `target` is the port of the node, asked at each connection. */
  static async before(target: () => number): Promise<FaultProxy> {
    const proxy = new FaultProxy(target);
    await new Promise<void>((resolve) => proxy.#server.listen(0, '127.0.0.1', resolve));
    return proxy;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  get mode(): LinkMode {
    return this.#mode;
  }

  set(mode: LinkMode, delayMs = 0): void {
    this.#mode = mode;
    this.#delayMs = delayMs;
    if (mode === 'cut') this.reset();
    else this.#flush();
    if (mode === 'stalled') return;
    for (const pipe of this.#pipes) if (pipe.isBroken) this.#end(pipe);
  }

  /** Closes all connections; the link stays as it is. */
  reset(): void {
    for (const { client, target } of this.#pipes) {
      client.destroy();
      target.destroy();
    }
    this.#pipes.clear();
  }

  async close(): Promise<void> {
    clearTimeout(this.#timer);
    this.reset();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #join(client: Socket): void {
    if (this.#mode === 'cut') {
      client.destroy();
      return;
    }
    const target = connect(this.#target(), '127.0.0.1');
    const pipe: Pipe = { client, target, waiting: [], isBroken: false };
    this.#pipes.add(pipe);
    for (const [from, to] of [
      [client, target],
      [target, client],
    ] as const) {
      from.setNoDelay(true);
      from.on('error', () => from.destroy());
      from.on('data', (bytes: Buffer) => this.#pass(pipe, to, bytes));
      from.on('close', () => {
        pipe.isBroken = true;
        if (this.#mode !== 'stalled') this.#end(pipe);
      });
    }
  }

  #end(pipe: Pipe): void {
    this.#pipes.delete(pipe);
    pipe.client.destroy();
    pipe.target.destroy();
  }

  #pass(pipe: Pipe, to: Socket, bytes: Buffer): void {
    const isDirect = this.#mode === 'open' && this.#delayMs === 0 && pipe.waiting.length === 0;
    if (isDirect) {
      to.write(bytes);
      return;
    }
    pipe.waiting.push({ to, bytes, atMs: performance.now() + this.#delayMs });
    this.#flush();
  }

  /** Lets pass what is due, in order. */
  #flush(): void {
    clearTimeout(this.#timer);
    if (this.#mode !== 'open') return;
    const nowMs = performance.now();
    let nextMs = Infinity;
    for (const { waiting } of this.#pipes) {
      for (let first = waiting[0]; first !== undefined; first = waiting[0]) {
        if (first.atMs > nowMs) {
          nextMs = Math.min(nextMs, first.atMs);
          break;
        }
        waiting.shift();
        if (!first.to.destroyed) first.to.write(first.bytes);
      }
    }
    if (nextMs < Infinity) this.#timer = setTimeout(() => this.#flush(), nextMs - nowMs);
  }
}
