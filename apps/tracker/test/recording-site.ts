import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { text } from 'node:stream/consumers';

import { scriptNamed, scriptWith, type Script } from '../src/index.ts';

/** One posted event: its body, and what the browser said about the request. */
export interface Recorded {
  readonly body: Readonly<Record<string, unknown>>;
  readonly contentType: string | undefined;
  readonly path: string;
  /** The document that sent it, and how many it had sent before; see `ORDER` in `visitor.ts`. */
  readonly document: string;
  readonly order: number;
}

const PAGES = ['index', 'long', 'other', 'links', 'forms', 'application', 'missing', 'frame'];

/**
 * A web site for the tests with the script in it: pages from `fixtures/` under any host name, the
 * scripts under `/js/`, and an event endpoint that keeps what it gets.
 */
export class RecordingSite {
  /** What the pages carry in their head. */
  head = '';
  /** The status that events are answered with. */
  eventStatus = 202;
  /** The site's own script under `/js/pa-own.js`. */
  ownScript: Script = scriptWith([], { domain: 'own.test' });
  readonly #recorded: Recorded[] = [];
  readonly preflights: string[] = [];
  readonly #server: Server;
  readonly #waiting = new Set<() => void>();
  /** Pages that have asked for `/signal`, and wait for the answer. */
  readonly #listening = new Set<ServerResponse>();

  private constructor() {
    this.#server = createServer((request, response) => {
      this.#answer(request, response).catch((error: unknown) => response.destroy(error as Error));
    });
  }

  static async open(): Promise<RecordingSite> {
    const site = new RecordingSite();
    site.#server.listen(0, '127.0.0.1');
    await once(site.#server, 'listening');
    return site;
  }

  get port(): number {
    const address = this.#server.address();
    if (address === null || typeof address === 'string') throw new Error('the site is not open');
    return address.port;
  }

  /** Forgets everything, for the next test. */
  reset(): void {
    this.#recorded.length = 0;
    this.preflights.length = 0;
    this.eventStatus = 202;
  }

  /** What has arrived, in the order of sending within each document. */
  get recorded(): readonly Recorded[] {
    const documents = [...new Set(this.#recorded.map(({ document }) => document))];
    return documents.flatMap((each) =>
      this.#recorded
        .filter(({ document }) => document === each)
        .sort((one, other) => one.order - other.order),
    );
  }

  /**
   * The bodies of the events so far, as soon as there are `count` of them, and all that a document
   * sent before each of them. Requests travel on several connections and overtake each other.
   */
  async events(count: number): Promise<Recorded['body'][]> {
    while (this.#recorded.length < count || !this.#isComplete()) {
      await new Promise<void>((resolve) => this.#waiting.add(resolve));
    }
    return this.recorded.map(({ body }) => body);
  }

  /** Answers the pages that wait for `/signal`. */
  signal(): void {
    for (const response of this.#listening) response.end();
    this.#listening.clear();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, 'close');
  }

  #isComplete(): boolean {
    const sent = Map.groupBy(this.#recorded, ({ document }) => document);
    return [...sent.values()].every(
      (events) => Math.max(...events.map(({ order }) => order)) === events.length - 1,
    );
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { pathname, searchParams } = new URL(request.url ?? '/', 'http://site.test');
    response.setHeader('Access-Control-Allow-Origin', '*');
    if (request.method === 'OPTIONS') {
      this.preflights.push(pathname);
      response.writeHead(204).end();
    } else if (request.method === 'POST' && pathname.endsWith('/event')) {
      await this.#record(request, pathname, searchParams.get('order'));
      response.writeHead(this.eventStatus).end('ok');
    } else if (pathname === '/signal') {
      this.#listening.add(response);
    } else if (pathname.startsWith('/js/')) {
      const name = pathname.slice('/js/'.length);
      const script = name === 'pa-own.js' ? this.ownScript : scriptNamed(name);
      response.setHeader('Content-Type', 'text/javascript');
      response.writeHead(script === undefined ? 404 : 200).end(script?.body);
    } else {
      this.#page(pathname, response);
    }
  }

  async #record(request: IncomingMessage, path: string, order: string | null): Promise<void> {
    const body = JSON.parse(await text(request)) as Recorded['body'];
    const contentType = request.headers['content-type'];
    const [document = '', place = ''] = (order ?? `.${this.#recorded.length}`).split('.');
    this.#recorded.push({ body, contentType, path, document, order: Number(place) });
    for (const wake of this.#waiting) wake();
    this.#waiting.clear();
  }

  #page(pathname: string, response: ServerResponse): void {
    const name = pathname === '/' ? 'index' : pathname.slice(1);
    if (name.includes('.')) {
      response.setHeader('Content-Disposition', 'attachment');
      response.end('a file');
      return;
    }
    const known = PAGES.includes(name) || name.startsWith('application/');
    const file = name.startsWith('application/') ? 'application' : known ? name : 'missing';
    const html = readFileSync(new URL(`./fixtures/${file}.html`, import.meta.url), 'utf8');
    response.setHeader('Content-Type', 'text/html; charset=utf-8');
    response.setHeader('Content-Security-Policy', "script-src 'self' 'nonce-fixture'");
    response.writeHead(known && name !== 'missing' ? 200 : 404);
    response.end(html.replace('<!-- script -->', this.head));
  }
}
