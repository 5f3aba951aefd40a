import { request as requestHttp, type IncomingMessage, type RequestOptions } from 'node:http';
import { connect, type Socket } from 'node:net';
import { TandemHttpServer, type HttpServerOptions } from '../src/http/http-server.ts';
import { ScriptedNode } from './http-scripted-node.ts';
import { TemporaryFolder } from './supervise-fixture.ts';

export const TOKEN = 'a-token-for-tests';
const NOW_MS = Date.UTC(2026, 0, 1, 0, 1);

/** A whole answer. */
export interface Reply {
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  readonly text: string;
  readonly json: Record<string, unknown>;
}

export interface Question extends Omit<RequestOptions, 'headers'> {
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Buffer;
  /** False: no token is sent. */
  readonly isKnown?: boolean;
}

/** A server on a free port of the loopback, with a scripted node behind it. */
export class HttpFixture {
  readonly folder = new TemporaryFolder();
  readonly node: ScriptedNode;
  readonly server: TandemHttpServer;
  readonly logged: string[] = [];
  port = 0;

  private constructor(node: ScriptedNode, options: Partial<HttpServerOptions>) {
    this.node = node;
    this.server = new TandemHttpServer({
      node,
      access: { tokens: [TOKEN] },
      importFolder: this.folder.file('uploads'),
      onUpgrade: () => false,
      clock: { nowMs: () => NOW_MS },
      log: (level, message) => this.logged.push(`${level} ${message}`),
      ...options,
    });
  }

  static async open(
    node = new ScriptedNode(),
    options: Partial<HttpServerOptions> = {},
  ): Promise<HttpFixture> {
    const fixture = new HttpFixture(node, options);
    ({ port: fixture.port } = await fixture.server.listen({ host: '127.0.0.1', port: 0 }));
    return fixture;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  async ask(path: string, question: Question = {}): Promise<Reply> {
    return await readReply(await this.begin(path, question));
  }

  /** Asks, and resolves with the head of the answer. */
  async begin(
    path: string,
    { body, isKnown = true, headers, ...options }: Question = {},
  ): Promise<IncomingMessage> {
    const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
    const request = requestHttp({
      host: '127.0.0.1',
      port: this.port,
      path,
      agent: false,
      headers: { ...(isKnown ? { authorization: `Bearer ${TOKEN}` } : {}), ...headers },
      ...options,
    });
    request.once('response', resolve);
    request.on('error', reject);
    request.end(body);
    return await promise;
  }

  /** Sends bytes and reads until the connection ends. */
  async askRaw(bytes: string): Promise<string> {
    const socket = await this.connect();
    socket.write(bytes);
    let text = '';
    for await (const part of socket.setEncoding('latin1')) text += String(part);
    return text;
  }

  async connect(): Promise<Socket> {
    const socket = connect(this.port, '127.0.0.1');
    const connected = Promise.withResolvers<void>();
    socket.once('connect', connected.resolve);
    socket.once('error', connected.reject);
    await connected.promise;
    return socket;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.server.close();
    this.folder[Symbol.dispose]();
  }
}

/** Reads an answer to its end; rejects when it breaks off. */
export async function readReply(answer: IncomingMessage): Promise<Reply> {
  const parts: Buffer[] = [];
  for await (const part of answer) parts.push(part as Buffer);
  const text = Buffer.concat(parts).toString('latin1');
  const isJson = answer.headers['content-type'] === 'application/json' && text !== '';
  return {
    status: answer.statusCode ?? 0,
    headers: answer.headers,
    text,
    json: isJson ? (JSON.parse(text) as Record<string, unknown>) : {},
  };
}
