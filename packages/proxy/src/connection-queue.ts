import type { Socket } from 'node:net';

interface Line {
  length: number;
  last: Promise<void>;
}

/**
 * Has the requests of one connection answered one after the other. A client may send ahead; a read
 * behind a write must not be answered from before it (RFC 9112 §9.3.2).
 */
export class ConnectionQueue {
  readonly #lines = new WeakMap<Socket, Line>();

  /** Requests of the connection that have no complete answer yet. */
  length(socket: Socket): number {
    return this.#lines.get(socket)?.length ?? 0;
  }

  /** Runs `work`, which must not reject, when all before it on the connection is done. */
  async run(socket: Socket, work: () => Promise<void>): Promise<void> {
    const line = this.#lines.get(socket) ?? { length: 0, last: Promise.resolve() };
    this.#lines.set(socket, line);
    line.length += 1;
    const turn = line.length === 1 ? work() : line.last.then(work);
    line.last = turn;
    await turn;
    line.length -= 1;
  }
}
