import { Agent as HttpAgent, type ClientRequest } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import type { Duplex } from 'node:stream';
import { Socket } from 'node:net';
import { setImmediate } from 'node:timers/promises';

/** How many idle connections are kept per server, and for how long. */
export interface PoolLimits {
  readonly idleUpstreamsMax: number;
  readonly idleUpstreamMs: number;
}

/**
 * Connections to one kind of server, used again while they are fresh. Busy ones have no limit of
 * their own: each belongs to a client's connection, and those are limited. A limit here would let
 * some hundred silent event streams stop everything else.
 */
export class UpstreamPool {
  readonly #http: HttpAgent;
  readonly #https: HttpsAgent;

  constructor({ idleUpstreamsMax, idleUpstreamMs }: PoolLimits) {
    const options = { keepAlive: idleUpstreamsMax > 0, maxFreeSockets: idleUpstreamsMax };
    this.#http = limitIdleTime(new HttpAgent(options), idleUpstreamMs);
    this.#https = limitIdleTime(new HttpsAgent(options), idleUpstreamMs);
  }

  agentFor(url: URL): HttpAgent {
    return url.protocol === 'https:' ? this.#https : this.#http;
  }

  /**
   * Lets go of connections that their servers have closed. After this thread has stood still, news of
   * that may lie in the kernel unread, behind a request that has come later: it is read with the next
   * turn of the event loop, and a turn is over for sure when a second one has begun.
   */
  async refreshed(url: URL): Promise<void> {
    if (Object.keys(this.agentFor(url).freeSockets).length === 0) return;
    await setImmediate();
    await setImmediate();
  }

  close(): void {
    this.#http.destroy();
    this.#https.destroy();
  }
}

/**
 * Node's agent destroys a socket that times out while it is idle; in use, it must not time out. What
 * Node does by itself honours the server's own announcement and is kept; the type declaration lacks
 * that `keepSocketAlive` says whether to.
 */
function limitIdleTime<Pool extends HttpAgent>(pool: Pool, idleMs: number): Pool {
  const keep = pool.keepSocketAlive.bind(pool) as (socket: Duplex) => boolean;
  const reuse = pool.reuseSocket.bind(pool);
  pool.keepSocketAlive = (socket: Duplex): boolean => {
    if (!(socket instanceof Socket) || !keep(socket)) return false;
    socket.setTimeout(idleMs);
    return true;
  };
  pool.reuseSocket = (socket: Duplex, request: ClientRequest): void => {
    if (socket instanceof Socket) socket.setTimeout(0);
    reuse(socket, request);
  };
  return pool;
}
