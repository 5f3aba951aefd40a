import type { ClientRequest, IncomingMessage } from 'node:http';
import { isTrailerField } from './hop-by-hop.ts';
import { fieldsOf } from './raw-headers.ts';

/**
 * The body of a client's request on its way to a server. It is streamed: the client is read no faster
 * than the server takes (X9). Up to `bytesMax` bytes are kept, so that a request which a server has
 * refused unread can go to another one.
 */
export class RequestBody {
  readonly #source: IncomingMessage;
  readonly #bytesMax: number;
  #held: Buffer[] = [];
  #heldBytes = 0;
  #isLetGo = false;
  #stop: (() => void) | undefined;

  constructor(source: IncomingMessage, bytesMax: number) {
    this.#source = source;
    this.#bytesMax = bytesMax;
  }

  /** Whether the whole body, or what of it has been read, can still be sent from the start. */
  get isReplayable(): boolean {
    return !this.#isLetGo;
  }

  /**
   * Sends everything from the start to `target`, then trailers and the end. The body must be
   * replayable. The function returned stops it: no more is then read from the client.
   */
  sendTo(target: ClientRequest): () => void {
    this.#stop?.();
    const source = this.#source;
    const onData = (chunk: Buffer): void => {
      this.#hold(chunk);
      if (!target.write(chunk)) source.pause();
    };
    const onDrain = (): void => void source.resume();
    const onEnd = (): void => {
      const trailers = trailersOf(source);
      if (trailers.length > 0) target.addTrailers(trailers);
      target.end();
    };
    let isClear = true;
    for (const chunk of this.#held) isClear = target.write(chunk);
    if (source.readableEnded) {
      onEnd();
      return () => {};
    }
    target.on('drain', onDrain);
    source.on('data', onData);
    source.once('end', onEnd);
    const stop = (): void => {
      if (this.#stop !== stop) return;
      this.#stop = undefined;
      target.off('drain', onDrain);
      source.off('data', onData);
      source.off('end', onEnd);
      source.pause();
    };
    this.#stop = stop;
    if (isClear) source.resume();
    else source.pause();
    return stop;
  }

  /** Frees what is kept: it will not be sent again. */
  letGo(): void {
    this.#isLetGo = true;
    this.#held = [];
  }

  #hold(chunk: Buffer): void {
    if (this.#isLetGo) return;
    this.#heldBytes += chunk.length;
    if (this.#heldBytes > this.#bytesMax) return this.letGo();
    this.#held.push(chunk);
  }
}

/** The trailers of a message that has been read to its end and may be passed on. */
export function trailersOf(message: IncomingMessage): [string, string][] {
  const pairs: [string, string][] = [];
  for (const [lower, name, value] of fieldsOf(message.rawTrailers)) {
    if (isTrailerField(lower)) pairs.push([name, value]);
  }
  return pairs;
}
