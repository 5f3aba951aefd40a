import { Agent, request } from 'node:http';
import { setTimeout as pause } from 'node:timers/promises';

/** An answer that a writer got. */
export interface WriteAnswer {
  readonly number: number;
  /** By `performance.now`. */
  readonly sentMs: number;
  readonly answeredMs: number;
  /** 0: there was no answer. */
  readonly status: number;
  /** What came with it, or why there was none. */
  readonly text: string;
}

const PAUSE_MS = 5;

/** Clients that write one row after the other, each over a connection of its own. */
export class SteadyWriters {
  readonly answers: WriteAnswer[] = [];
  readonly #agent = new Agent({ keepAlive: true });
  readonly #running: Promise<unknown>;
  #isOver = false;
  /** Numbers are never used twice, by other writers neither. */
  #next = Math.floor(performance.timeOrigin + performance.now()) * 1000;

  /** Begins to write, `count` clients to each of the ports of the loopback. */
  constructor(ports: readonly number[], count: number) {
    const writers = ports.flatMap((port) => Array.from({ length: count }, () => this.#write(port)));
    this.#running = Promise.all(writers);
  }

  /** Answers to requests that were sent from then on. */
  since(fromMs: number): WriteAnswer[] {
    return this.answers.filter(({ sentMs }) => sentMs >= fromMs);
  }

  /** Resolves when every client has its last answer. */
  async stop(): Promise<void> {
    this.#isOver = true;
    await this.#running;
    this.#agent.destroy();
  }

  async #write(port: number): Promise<void> {
    while (!this.#isOver) {
      const number = this.#next;
      this.#next += 1;
      const sentMs = performance.now();
      const { status, text } = await this.#post(port, number);
      this.answers.push({ number, sentMs, answeredMs: performance.now(), status, text });
      await pause(PAUSE_MS);
    }
  }

  #post(port: number, number: number): Promise<Pick<WriteAnswer, 'status' | 'text'>> {
    const { promise, resolve } = Promise.withResolvers<Pick<WriteAnswer, 'status' | 'text'>>();
    const sent = request({ port, host: '127.0.0.1', method: 'POST', agent: this.#agent });
    const fail = (error: Error): void => resolve({ status: 0, text: error.message });
    sent.on('response', (answer) => {
      let text = '';
      answer.setEncoding('utf8');
      answer.on('data', (chunk: string) => {
        text += chunk;
      });
      answer.on('end', () => resolve({ status: answer.statusCode ?? 0, text }));
      answer.on('error', fail);
    });
    sent.on('error', fail);
    sent.end(String(number));
    return promise;
  }
}
