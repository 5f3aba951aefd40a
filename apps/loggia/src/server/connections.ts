import type { IncomingMessage, Server } from 'node:http';
import type { Socket } from 'node:net';
import type { EventConnection } from './event-connection.ts';

/** What is known of one connection. */
interface Use {
  /** Who carries it, until Node's server does. */
  readonly events: EventConnection;
  /** The last request at Node's server that is not answered yet. */
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

  /** Adds a connection that has just been opened. */
  add(socket: Socket, events: EventConnection): void {
    this.#uses.set(socket, { events, request: undefined });
    socket.once('close', () => this.#uses.delete(socket));
  }

  /** Learns of the requests that Node's `server` gets. */
  watch(server: Server): void {
    server.on('request', (request: IncomingMessage, response) => {
      const use = this.#uses.get(request.socket);
      if (use === undefined) return;
      use.request = request;
      response.once('close', () => {
        if (use.request === request) use.request = undefined;
      });
    });
  }

  /**
   * Ends every connection on which no byte of a request has come, and those that carry events, after
   * the answer under way. Node's server sees to its own.
   */
  endUnused(): void {
    for (const [socket, { events }] of this.#uses) {
      if (socket.bytesRead === 0) socket.destroy();
      else events.finish();
    }
  }

  /** Ends every connection that has no request which was received in full and waits for its answer. */
  endUnlessAnswering(): void {
    for (const [socket, { events, request }] of this.#uses) {
      if (!events.isAnswering && request?.complete !== true) socket.destroy();
    }
  }
}
