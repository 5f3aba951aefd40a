import { request as openRequest, type Agent, type IncomingMessage } from 'node:http';
import { connect, type Socket } from 'node:net';

/** A whole answer. */
export interface Reply {
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  readonly trailers: IncomingMessage['trailers'];
  readonly body: string;
  /** The position cookie's value, if the answer sets one. */
  readonly cookie: string | undefined;
}

export interface Question {
  readonly method?: string;
  readonly path?: string;
  readonly headers?: Readonly<Record<string, string | string[]>>;
  readonly body?: string | Buffer;
  readonly agent?: Agent;
}

/** Sends one request to a port of this machine and reads the answer to its end. */
export async function ask(port: number, question: Question = {}): Promise<Reply> {
  const { method = 'GET', path = '/', headers = {}, body, agent } = question;
  const answered = Promise.withResolvers<IncomingMessage>();
  const request = openRequest({
    host: '127.0.0.1',
    port,
    method,
    path,
    // Node frames no body of a DELETE by itself.
    headers: {
      ...(body === undefined ? {} : { 'Content-Length': Buffer.byteLength(body) }),
      ...headers,
    },
    agent: agent ?? false,
  });
  request.once('response', answered.resolve);
  request.on('error', answered.reject);
  request.end(body);
  return await readReply(await answered.promise);
}

/** Reads an answer to its end; rejects when it breaks off. */
export async function readReply(answer: IncomingMessage): Promise<Reply> {
  const chunks: Buffer[] = [];
  for await (const chunk of answer) chunks.push(chunk as Buffer);
  const set = answer.headers['set-cookie'] ?? [];
  const cookie = set.map((text) => /^__txid=(?<value>[^;]*)/.exec(text)?.groups?.['value']);
  return {
    status: answer.statusCode ?? 0,
    headers: answer.headers,
    trailers: answer.trailers,
    body: Buffer.concat(chunks).toString(),
    cookie: cookie.find((value) => value !== undefined),
  };
}

/** A connection on which a test writes bytes and waits for what comes back. */
export class RawConnection {
  readonly socket: Socket;
  #text = '';
  #isClosed = false;
  #wasReset = false;
  readonly #watchers = new Set<() => void>();

  private constructor(socket: Socket) {
    this.socket = socket;
    const tell = (): void => {
      for (const watch of this.#watchers) watch();
    };
    socket.on('data', (chunk: Buffer) => {
      this.#text += chunk.toString('latin1');
      tell();
    });
    socket.on('error', () => {
      this.#wasReset = true;
    });
    socket.on('close', () => {
      this.#isClosed = true;
      tell();
    });
  }

  static async open(port: number): Promise<RawConnection> {
    const socket = connect(port, '127.0.0.1');
    const connected = Promise.withResolvers<void>();
    socket.once('connect', connected.resolve);
    socket.once('error', connected.reject);
    await connected.promise;
    return new RawConnection(socket);
  }

  get text(): string {
    return this.#text;
  }

  get wasReset(): boolean {
    return this.#wasReset;
  }

  send(bytes: string | Uint8Array): this {
    if (typeof bytes === 'string') this.socket.write(bytes, 'latin1');
    else this.socket.write(bytes);
    return this;
  }

  /** Resolves with all text so far once it contains `expected`; rejects when the connection ends before. */
  async until(expected: string): Promise<string> {
    await this.#watch(() => this.#text.includes(expected) || this.#isClosed);
    if (this.#text.includes(expected)) return this.#text;
    throw new Error(`closed without '${expected}', after: ${this.#text}`);
  }

  /** Resolves with all text when the connection has ended. */
  async whole(): Promise<string> {
    await this.#watch(() => this.#isClosed);
    return this.#text;
  }

  async #watch(isThere: () => boolean): Promise<void> {
    if (isThere()) return;
    const there = Promise.withResolvers<void>();
    const watch = (): void => {
      if (isThere()) there.resolve();
    };
    this.#watchers.add(watch);
    await there.promise;
    this.#watchers.delete(watch);
  }
}

/** Sends bytes on a connection of their own and gives back everything until it ends. */
export async function askRaw(port: number, bytes: string | Uint8Array): Promise<string> {
  const connection = await RawConnection.open(port);
  return await connection.send(bytes).whole();
}
