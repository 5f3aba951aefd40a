import { STATUS_CODES } from 'node:http';
import type { EventAnswer } from './event-endpoint.ts';

const SECOND_MS = 1000;

/** Writes answers as Node's server does, and knows the one that nearly all requests get by heart. */
export class AnswerTexts {
  readonly #frequent: EventAnswer;
  readonly #keepAliveLines: string;
  #second = Number.NaN;
  #dateLine = '';
  #frequentText = '';

  constructor(options: { readonly frequent: EventAnswer; readonly keepAliveTimeoutMs: number }) {
    this.#frequent = options.frequent;
    const seconds = Math.floor(options.keepAliveTimeoutMs / SECOND_MS);
    this.#keepAliveLines = `Connection: keep-alive\r\nKeep-Alive: timeout=${seconds}\r\n`;
  }

  /** The whole of `answer`, after which the connection stays open unless it is the last one. */
  textOf(answer: EventAnswer, isLast: boolean, nowMs: number): string {
    const second = Math.floor(nowMs / SECOND_MS);
    if (second !== this.#second) {
      this.#second = second;
      this.#dateLine = `Date: ${new Date(second * SECOND_MS).toUTCString()}\r\n`;
      this.#frequentText = this.#write(this.#frequent, false);
    }
    if (answer === this.#frequent && !isLast) return this.#frequentText;
    return this.#write(answer, isLast);
  }

  #write({ status, headers, body }: EventAnswer, isLast: boolean): string {
    let lines = '';
    for (const [name, value] of Object.entries(headers)) lines += `${name}: ${value}\r\n`;
    return (
      `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}\r\n${lines}` +
      `content-length: ${Buffer.byteLength(body)}\r\n${this.#dateLine}` +
      `${isLast ? 'Connection: close\r\n' : this.#keepAliveLines}\r\n${body}`
    );
  }
}
