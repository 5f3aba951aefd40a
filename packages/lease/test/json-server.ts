import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A request, read to its end. */
export interface JsonRequest {
  readonly method: string;
  readonly url: URL;
  readonly headers: IncomingMessage['headers'];
  readonly text: string;
  readonly response: ServerResponse;
}

/** An HTTP server on a free port of the loopback. */
export class JsonServer {
  readonly #server: Server;

  private constructor(answer: (request: JsonRequest) => void) {
    this.#server = createServer((message, response) => {
      let text = '';
      message.setEncoding('utf8');
      message.on('data', (chunk: string) => {
        text += chunk;
      });
      message.on('end', () => {
        const url = new URL(message.url ?? '/', 'http://server');
        answer({ method: message.method ?? '', url, headers: message.headers, text, response });
      });
    });
  }

  static async start(answer: (request: JsonRequest) => void): Promise<JsonServer> {
    const server = new JsonServer(answer);
    await new Promise<void>((resolve) => server.#server.listen(0, '127.0.0.1', resolve));
    return server;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

/** Sends one JSON answer. */
export function answerJson(
  response: ServerResponse,
  status: number,
  value: unknown,
  headers: Readonly<Record<string, string>> = {},
): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers });
  response.end(`${JSON.stringify(value)}\n`);
}
