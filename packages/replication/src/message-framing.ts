import type { Duplex } from 'node:stream';
import {
  decodeMessage,
  encodeMessage,
  streamError,
  type Frame,
  type StreamEnd,
  type StreamMessage,
} from './stream-message.ts';
import type { StreamClock, StreamSettings } from './stream-source.ts';

/** The payload of a longer message is refused before it is read. */
export const PAYLOAD_BYTES_MAX = 1 << 20;
/** A length of four bytes and a type of one. */
const HEAD_BYTES = 5;
/** Many small pieces are joined now and then, so that taking from them stays cheap. */
const PIECES_MAX = 1024;

/** The five bytes that go before the payload. */
export function encodeFrameHead({ type, payload }: Frame): Uint8Array {
  const head = Buffer.alloc(HEAD_BYTES);
  head.writeUInt32BE(payload.length, 0);
  head.writeUInt8(type, 4);
  return head;
}

/** Cuts a stream of bytes into frames, wherever its pieces begin and end. */
export class FrameDecoder {
  #pieces: Buffer[] = [];
  #bytes = 0;

  /** Whether bytes of a frame that is not whole yet are held. */
  get isInside(): boolean {
    return this.#bytes > 0;
  }

  push(piece: Uint8Array): void {
    if (piece.length === 0) return;
    this.#pieces.push(Buffer.from(piece.buffer, piece.byteOffset, piece.length));
    this.#bytes += piece.length;
    if (this.#pieces.length > PIECES_MAX) this.#join();
  }

  /** Whether `next` would return a frame or throw. */
  get hasNext(): boolean {
    const head = this.#head();
    if (head === undefined) return false;
    return head.payloadBytes > PAYLOAD_BYTES_MAX || this.#bytes >= HEAD_BYTES + head.payloadBytes;
  }

  /**
   * The next whole frame; undefined when more bytes are needed.
   *
   * @throws BaseError `stream_bad_message` when it is longer than a frame may be.
   */
  next(): Frame | undefined {
    const head = this.#head();
    if (head === undefined) return undefined;
    const { type, payloadBytes } = head;
    if (payloadBytes > PAYLOAD_BYTES_MAX) {
      const message = `The other node announced a message of ${payloadBytes} bytes.`;
      throw streamError('stream_bad_message', message, {
        hint: 'Something that is no Tandem node answers at this address, or its version is newer.',
      });
    }
    if (this.#bytes < HEAD_BYTES + payloadBytes) return undefined;
    this.#take(HEAD_BYTES);
    return { type, payload: this.#take(payloadBytes) };
  }

  #head(): { type: number; payloadBytes: number } | undefined {
    if (this.#bytes < HEAD_BYTES) return undefined;
    if ((this.#pieces[0]?.length ?? 0) < HEAD_BYTES) this.#join();
    const [first] = this.#pieces;
    return first && { type: first.readUInt8(4), payloadBytes: first.readUInt32BE(0) };
  }

  #take(byteCount: number): Buffer {
    if (byteCount === 0) return Buffer.alloc(0);
    if ((this.#pieces[0]?.length ?? 0) < byteCount) this.#join();
    const first = this.#pieces[0] ?? Buffer.alloc(0);
    const taken = first.subarray(0, byteCount);
    const rest = first.subarray(byteCount);
    if (rest.length > 0) this.#pieces[0] = rest;
    else this.#pieces.shift();
    this.#bytes -= byteCount;
    return taken;
  }

  #join(): void {
    this.#pieces = [Buffer.concat(this.#pieces)];
  }
}

/** What a `MessageSocket` needs. */
export interface MessageSocketOptions {
  readonly clock: StreamClock;
  readonly settings: StreamSettings;
  /** Bytes that came with the upgrade. */
  readonly head?: Uint8Array;
}

/**
 * Messages over a duplex stream, such as the socket of an upgraded HTTP connection. It reads no
 * further than one message ahead of who takes them, and leaves it to the sender to stop while
 * `isCongested`, so that neither side can fill the other's memory.
 */
export class MessageSocket {
  readonly #duplex: Duplex;
  readonly #clock: StreamClock;
  readonly #settings: StreamSettings;
  readonly #decoder = new FrameDecoder();
  #end: StreamEnd | undefined;
  #onReadable: (() => void) | undefined;
  #onDrained: (() => void) | undefined;
  #lastHeardMs: number;
  #lastSentMs: number;
  #cancelTimer: () => void = () => {};

  constructor(duplex: Duplex, { clock, settings, head }: MessageSocketOptions) {
    this.#duplex = duplex;
    this.#clock = clock;
    this.#settings = settings;
    this.#lastHeardMs = clock.monotonicMs();
    this.#lastSentMs = this.#lastHeardMs;
    if (head !== undefined) this.#decoder.push(head);
    duplex.on('data', (piece: Uint8Array) => this.#take(piece));
    duplex.on('drain', () => this.#onDrained?.());
    duplex.on('error', (error: Error) =>
      this.#fail('lost', `The connection broke: ${error.message}.`),
    );
    duplex.on('end', () => this.#fail('lost', this.#describeCut()));
    duplex.on('close', () => this.#fail('lost', 'The connection was closed.'));
    this.#watchSilence();
  }

  /** Why no more messages come; undefined while they may. */
  get end(): StreamEnd | undefined {
    return this.#end;
  }

  /** Whether a message can be had without waiting. */
  get hasNext(): boolean {
    return this.#decoder.hasNext;
  }

  /** When something was last sent, on the monotonic clock. */
  get lastSentMs(): number {
    return this.#lastSentMs;
  }

  /** Whether more waits to be sent than should. */
  get isCongested(): boolean {
    return this.#duplex.writableLength >= this.#settings.sendBufferBytesMax;
  }

  /**
   * The next message; undefined when there are no more, and then `end` says why.
   *
   * @throws BaseError `stream_bad_message`.
   */
  async next(): Promise<StreamMessage | undefined> {
    for (;;) {
      const frame = this.#decoder.next();
      if (frame !== undefined) return decodeMessage(frame);
      if (this.#end !== undefined) return undefined;
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#onReadable = resolve;
      if (this.#duplex.isPaused()) {
        // What was not read was not heard: silence counts from now.
        this.#lastHeardMs = this.#clock.monotonicMs();
        this.#duplex.resume();
      }
      await promise;
      this.#onReadable = undefined;
    }
  }

  /** Sends, or does nothing after the end. It does not wait; see `isCongested`. */
  send(message: StreamMessage): void {
    if (this.#end !== undefined) return;
    const frame = encodeMessage(message);
    if (frame.payload.length > PAYLOAD_BYTES_MAX) {
      throw streamError('stream_bad_message', `A message '${message.kind}' has become too long.`, {
        hint: 'Some name, address or list of this node is far longer than it should be.',
      });
    }
    this.#lastSentMs = this.#clock.monotonicMs();
    this.#duplex.write(encodeFrameHead(frame));
    if (frame.payload.length > 0) this.#duplex.write(frame.payload);
  }

  /** Sends what `send` does until `uncork` in as few packets as possible. */
  cork(): void {
    this.#duplex.cork();
  }

  uncork(): void {
    this.#duplex.uncork();
  }

  /** Resolves when the socket is no longer congested, or at the end. */
  async drained(): Promise<void> {
    while (this.isCongested && this.#end === undefined) {
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#onDrained = resolve;
      await promise;
    }
    this.#onDrained = undefined;
  }

  /** Lets what has been sent leave, for at most the time to linger, then closes. */
  close(): void {
    this.#finish({ kind: 'ended', message: 'This side ended the stream.' });
    if (this.#duplex.destroyed) return;
    const cancel = this.#clock.after(this.#settings.lingerMs, () => this.#duplex.destroy());
    this.#duplex.once('close', cancel);
    this.#duplex.end();
    // Destroying a socket with unread bytes would reset the connection under our last message. The
    // other side's goodbye, which destroys it, is behind those bytes.
    this.#duplex.resume();
  }

  #take(piece: Uint8Array): void {
    if (this.#end !== undefined) return;
    this.#lastHeardMs = this.#clock.monotonicMs();
    this.#decoder.push(piece);
    if (!this.#decoder.hasNext) return;
    if (this.#onReadable === undefined) this.#duplex.pause();
    else this.#onReadable();
  }

  #fail(kind: 'lost' | 'silent', message: string): void {
    this.#finish({ kind, message });
    this.#duplex.destroy();
  }

  #finish(end: StreamEnd): void {
    if (this.#end !== undefined) return;
    this.#end = end;
    this.#cancelTimer();
    this.#onReadable?.();
    this.#onDrained?.();
  }

  #describeCut(): string {
    const isWhole = !this.#decoder.isInside || this.#decoder.hasNext;
    return isWhole
      ? 'The other node closed the connection.'
      : 'The other node closed the connection in the middle of a message.';
  }

  /** Looks again when the silence would be too long if nothing came until then. */
  #watchSilence(): void {
    const { silenceMsMax } = this.#settings;
    const now = this.#clock.monotonicMs();
    if (this.#duplex.isPaused()) this.#lastHeardMs = now;
    const leftMs = this.#lastHeardMs + silenceMsMax - now;
    if (leftMs <= 0) {
      this.#fail('silent', `Nothing was heard from the other node for ${silenceMsMax} ms.`);
      return;
    }
    this.#cancelTimer = this.#clock.after(leftMs, () => this.#watchSilence());
  }
}
