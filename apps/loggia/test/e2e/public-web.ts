import { once } from 'node:events';
import {
  createServer,
  request as send,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from 'node:http';
import { text } from 'node:stream/consumers';

/** The host under which browsers reach the server of the numbers. */
export const STATS_HOST = 'stats.test';
/** How long an event may take before the test gives up; it says then what has come. */
const PATIENCE_MS = 30_000;

/** What a web server answers for a path. */
export interface Resource {
  readonly status?: number;
  readonly type?: string;
  /** Makes browsers save it. */
  readonly isAttachment?: boolean;
  readonly body: string;
}

/** The site of one host name: a path becomes a page, or undefined for what it does not have. */
export type Host = (path: string) => Resource | undefined;

/**
 * The web as far as a test needs it: hosts with pages and, under `stats.test`, the real server
 * behind a reverse proxy, which tells the address that each user agent has here.
 */
export class PublicWeb {
  /** The sites by host name. */
  readonly hosts = new Map<string, Host>();
  /** The clients' addresses by user agent; what is absent stays at the loopback address. */
  readonly addresses = new Map<string, string>();
  readonly #serverUrl: string;
  readonly #server: Server;
  #answered: string[] = [];
  #awaited = 0;
  #stopWaiting: () => void = () => {};

  private constructor(serverUrl: string) {
    this.#serverUrl = serverUrl;
    this.#server = createServer((request, response) => {
      this.#answer(request, response).catch((error: unknown) => response.destroy(error as Error));
    });
  }

  /** Opens it in front of the server at `serverUrl`. */
  static async open(serverUrl: string): Promise<PublicWeb> {
    const web = new PublicWeb(serverUrl);
    web.#server.listen(0, '127.0.0.1');
    await once(web.#server, 'listening');
    return web;
  }

  get port(): number {
    const address = this.#server.address();
    if (address === null || typeof address === 'string') throw new Error('the web is not open');
    return address.port;
  }

  /**
   * The next `count` events that the server has answered, and any more that came with them, one
   * line each in the order of the alphabet: requests travel on several connections and overtake
   * each other. `engagement /page 50% 4000ms`; what was not stored ends with the reason.
   */
  async events(count: number): Promise<string[]> {
    const timer = setTimeout(() => this.#stopWaiting(), PATIENCE_MS);
    await new Promise<void>((resolve) => {
      this.#stopWaiting = resolve;
      this.#awaited = count;
      this.#wake();
    });
    clearTimeout(timer);
    const events = this.#answered;
    this.#answered = [];
    return events.sort();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, 'close');
  }

  #wake(): void {
    if (this.#answered.length >= this.#awaited) this.#stopWaiting();
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '/', `http://${request.headers.host}`);
    if (url.hostname === STATS_HOST) {
      await this.#forward(request, response, url);
      return;
    }
    const resource = this.hosts.get(url.hostname)?.(url.pathname);
    const {
      status = 200,
      type = 'text/html; charset=utf-8',
      isAttachment,
      body,
    } = resource ?? {
      status: 404,
      body: 'nothing here',
    };
    response.setHeader('content-type', type);
    if (isAttachment === true) response.setHeader('content-disposition', 'attachment');
    response.writeHead(status).end(body);
  }

  async #forward(request: IncomingMessage, response: ServerResponse, url: URL): Promise<void> {
    const body = await text(request);
    const address = this.addresses.get(request.headers['user-agent'] ?? '');
    const headers = {
      ...request.headers,
      ...(address === undefined ? {} : { 'x-forwarded-for': address }),
    };
    const passedOn = send(new URL(url.pathname + url.search, this.#serverUrl), {
      method: request.method,
      headers,
    });
    passedOn.end(body);
    const [answer] = (await once(passedOn, 'response')) as [IncomingMessage];
    response.writeHead(answer.statusCode ?? 502, answer.headers);
    answer.pipe(response);
    if (request.method !== 'POST' || url.pathname !== '/api/event') return;
    this.#answered.push(lineOf(body, answer));
    this.#wake();
  }
}

function lineOf(body: string, answer: IncomingMessage): string {
  const { n, u, sd, e } = JSON.parse(body) as Readonly<Record<'n' | 'u' | 'sd' | 'e', unknown>>;
  const { pathname, hash } = new URL(String(u));
  const attention = n === 'engagement' ? [`${String(sd)}%`, `${String(e)}ms`] : [];
  const status = answer.statusCode === 202 ? [] : [String(answer.statusCode)];
  const dropped = answer.headers['x-loggia-dropped'] ?? [];
  return [n, pathname + hash, ...attention, ...status, ...[dropped].flat()].join(' ');
}
