import type { IncomingMessage, Server } from 'node:http';
import type { Socket } from 'node:net';

/** What is known of one connection. */
interface Use {
  /** The last request on it that is not answered yet. */
  request: IncomingMessage | undefined;
}

/**
 * The open connections of a server. A server that stops waits for each of them to end, also for
 * those on which nothing will ever come: browsers open connections ahead of any request, and some
 * senders stop half-way. Those are ended here, and requests that were received are left to be
 * answered.
 */
export class Connections {
  readonly #uses = new Map<Socket, Use>();

  constructor(server: Server) {
    server.on('connection', (socket: Socket) => {
      this.#uses.set(socket, { request: undefined });
      socket.once('close', () => this.#uses.delete(socket));
    });
    server.on('request', (request: IncomingMessage, response) => {
      const use = this.#uses.get(request.socket);
      if (use === undefined) return;
      use.request = request;
      response.once('close', () => {
        if (use.request === request) use.request = undefined;
      });
    });
  }

  /** Ends every connection on which no byte of a request has come. */
  endUnused(): void {
    for (const [socket, { request }] of this.#uses) {
      if (request === undefined && socket.bytesRead === 0) socket.destroy();
    }
  }

  /** Ends every connection that has no request which was received in full and waits for its answer. */
  endUnlessAnswering(): void {
    for (const [socket, { request }] of this.#uses) {
      if (request === undefined || !request.complete) socket.destroy();
    }
  }
}
