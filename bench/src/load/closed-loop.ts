import { connect, type Socket } from 'node:net';
import { assert } from '@tandem/base';
import { AnswerReader } from './answer-reader.ts';

export interface LoadPlan {
  readonly port: number;
  /** Connections that stay open; each has one request under way at a time. */
  readonly connections: number;
  readonly durationMs: number;
  /** Whole requests in bytes; sent in turn, from the first again after the last. */
  readonly requests: readonly Buffer[];
}

/** What came of it. */
export interface LoadResult {
  /** Answers within the time. */
  readonly answered: number;
  readonly durationMs: number;
  /** From sending a request to its complete answer, one for each answer within the time. */
  readonly latenciesMs: readonly number[];
  /** Answers of status 202, those after the time included. */
  readonly accepted: number;
  /** All other answers. */
  readonly refused: number;
}

const ACCEPTED = 202;

/**
 * Sends requests over raw sockets, which costs a fraction of what an HTTP client does: the client
 * runs on the same machine and must not be what is measured. Time counts from when all connections
 * are open; the answers under way at its end are awaited.
 */
export async function runLoad(plan: LoadPlan): Promise<LoadResult> {
  assert(plan.requests.length > 0, 'there is something to be sent');
  const sockets = await Promise.all(
    Array.from({ length: plan.connections }, () => openSocket(plan.port)),
  );
  const tally = new Tally(plan.requests);
  const startMs = performance.now();
  const drained = Promise.all(sockets.map((socket) => drive(socket, tally)));
  setTimeout(() => tally.stop(performance.now() - startMs), plan.durationMs);
  await drained;
  return tally.result();
}

class Tally {
  readonly #requests: readonly Buffer[];
  readonly #latenciesMs: number[] = [];
  #sent = 0;
  #accepted = 0;
  #refused = 0;
  #durationMs = 0;

  constructor(requests: readonly Buffer[]) {
    this.#requests = requests;
  }

  get isStopped(): boolean {
    return this.#durationMs > 0;
  }

  nextRequest(): Buffer {
    const request = this.#requests[this.#sent++ % this.#requests.length];
    assert(request !== undefined, 'the requests are taken in turn');
    return request;
  }

  stop(durationMs: number): void {
    this.#durationMs = durationMs;
  }

  answered(status: number, latencyMs: number): void {
    if (status === ACCEPTED) this.#accepted += 1;
    else this.#refused += 1;
    if (!this.isStopped) this.#latenciesMs.push(latencyMs);
  }

  result(): LoadResult {
    return {
      answered: this.#latenciesMs.length,
      durationMs: this.#durationMs,
      latenciesMs: this.#latenciesMs,
      accepted: this.#accepted,
      refused: this.#refused,
    };
  }
}

function openSocket(port: number): Promise<Socket> {
  const { promise, resolve, reject } = Promise.withResolvers<Socket>();
  const socket = connect(port, '127.0.0.1', () => {
    socket.off('error', reject);
    resolve(socket);
  });
  socket.setNoDelay(true);
  socket.on('error', reject);
  return promise;
}

/** Sends over `socket` until the tally stops; resolves after the last answer. */
function drive(socket: Socket, tally: Tally): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const reader = new AnswerReader();
  let sentMs = performance.now();
  const read = (chunk: Buffer): void => {
    const status = reader.read(chunk);
    if (status === undefined) return;
    const nowMs = performance.now();
    tally.answered(status, nowMs - sentMs);
    if (tally.isStopped) {
      socket.destroy();
      resolve();
      return;
    }
    sentMs = nowMs;
    socket.write(tally.nextRequest());
  };
  socket.on('data', (chunk) => {
    try {
      read(chunk);
    } catch (error) {
      socket.destroy(error instanceof Error ? error : new Error(String(error)));
    }
  });
  socket.on('error', reject);
  socket.on('close', () => reject(new Error('A connection ended before its answer.')));
  socket.write(tally.nextRequest());
  return promise;
}
