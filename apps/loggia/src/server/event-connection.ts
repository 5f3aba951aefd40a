import type { Socket } from 'node:net';
import type { Clock } from '@tandem/base';
import type { AnswerTexts } from './answer-text.ts';
import { ACCEPTED, EVENT_PATH, type EventAnswer, type EventEndpoint } from './event-endpoint.ts';
import type { Metrics } from './metrics.ts';
import { readPlainRequest } from './plain-request.ts';

const REQUEST_LINE = `POST ${EVENT_PATH} HTTP/1.1\r\n`;

/** What all connections of one server share. */
export interface EventCarrier {
  readonly endpoint: EventEndpoint;
  readonly metrics: Metrics;
  readonly clock: Clock;
  readonly texts: AnswerTexts;
  /** How long a connection may wait for its first request, and for each further one. */
  readonly firstTimeoutMs: number;
  readonly keepAliveTimeoutMs: number;
  /** Makes a connection that is not read any more Node's own, with all that waits in it. */
  readonly giveToNode: (socket: Socket) => void;
}

/**
 * A connection that has carried nothing but plain events so far. With the first bytes that are
 * anything else it becomes one of Node's server, for good: every rule of HTTP that is not plain is
 * kept there, and only there.
 *
 * One request is under way at a time. What comes meanwhile is held, and no more is read.
 */
export class EventConnection {
  readonly #socket: Socket;
  readonly #carrier: EventCarrier;
  #isAnswering = false;
  #isLast = false;
  #isGiven = false;
  #hasCarried = false;
  #held: Buffer | undefined;

  constructor(socket: Socket, carrier: EventCarrier) {
    this.#socket = socket;
    this.#carrier = carrier;
    socket.setTimeout(carrier.firstTimeoutMs);
    socket.on('data', this.#read);
    socket.on('end', this.#end);
    socket.on('timeout', this.#timeOut);
    socket.on('drain', this.#resume);
    socket.on('error', this.#fail);
  }

  /** Whether a request has come in full and waits for its answer. */
  get isAnswering(): boolean {
    return this.#isAnswering;
  }

  /** Ends the connection, after the answer that is under way. Does nothing to one of Node's. */
  finish(): void {
    if (this.#isGiven) return;
    this.#isLast = true;
    if (!this.#isAnswering) this.#socket.end();
  }

  readonly #read = (chunk: Buffer): void => {
    if (this.#isAnswering) {
      this.#held = chunk;
      this.#socket.pause();
      return;
    }
    const request = readPlainRequest(chunk, REQUEST_LINE);
    if (request === undefined) {
      this.#giveAway(chunk);
      return;
    }
    if (!this.#hasCarried) {
      this.#hasCarried = true;
      this.#socket.setTimeout(this.#carrier.keepAliveTimeoutMs);
    }
    this.#isAnswering = true;
    const { headers, body } = request;
    this.#carrier.endpoint.answer({ headers, socket: this.#socket }, body, this.#send);
  };

  readonly #send = (answer: EventAnswer): void => {
    const socket = this.#socket;
    const { metrics, texts, clock } = this.#carrier;
    this.#isAnswering = false;
    metrics.answered(EVENT_PATH, answer.status);
    if (!socket.writable) return;
    const text = texts.textOf(answer, this.#isLast, clock.nowMs());
    const encoding = answer === ACCEPTED ? 'latin1' : 'utf8';
    const hasRoom = socket.write(text, encoding);
    if (this.#isLast) socket.end();
    else if (!hasRoom) socket.pause();
    else if (this.#held !== undefined) this.#resume();
  };

  /** Takes up what was held, then the socket. */
  readonly #resume = (): void => {
    const held = this.#held;
    if (this.#isAnswering) return;
    this.#held = undefined;
    if (held !== undefined) this.#read(held);
    if (!this.#isAnswering) this.#socket.resume();
  };

  /** The other side sends no more; it may still read. */
  readonly #end = (): void => {
    this.#isLast = true;
    if (!this.#isAnswering) this.#socket.end();
  };

  readonly #timeOut = (): void => {
    if (!this.#isAnswering) this.#socket.destroy();
  };

  readonly #fail = (): void => {
    this.#socket.destroy();
  };

  #giveAway(chunk: Buffer): void {
    const socket = this.#socket;
    this.#isGiven = true;
    socket.pause();
    socket.off('data', this.#read).off('end', this.#end).off('timeout', this.#timeOut);
    socket.off('drain', this.#resume).off('error', this.#fail);
    socket.setTimeout(0);
    socket.unshift(chunk);
    this.#carrier.giveToNode(socket);
    socket.resume();
  }
}
