import type { Duplex } from 'node:stream';
import {
  decodeMessage,
  encodeParts,
  isTransient,
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

/** Longer bytes at the end of a message are not copied to what stands before them. */
const COPIED_BYTES_MAX = 16_384;

/** The five bytes that go before the payload. */
export function encodeFrameHead({ type, payload }: Frame): Uint8Array {
  return frameHead(type, payload.length);
}

function frameHead(type: number, payloadBytes: number): Buffer {
  const head = Buffer.alloc(HEAD_BYTES);
  head.writeUInt32BE(payloadBytes, 0);
  head.writeUInt8(type, 4);
  return head;
}

/** Cuts a stream of bytes into frames, wherever its pieces begin and end. */
export class FrameDecoder {
  #pieces: Buffer[] = [];
  #bytes = 0;
  /** Where payloads are put together that nobody keeps. */
  #scratch: Buffer = Buffer.alloc(0);

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
   * The next whole frame; undefined when more bytes are needed. Of a kind that nobody keeps, the
   * payload is only valid until this is called again.
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
    this.#take(HEAD_BYTES, false);
    return { type, payload: this.#take(payloadBytes, isTransient(type)) };
  }

  #head(): { type: number; payloadBytes: number } | undefined {
    if (this.#bytes < HEAD_BYTES) return undefined;
    if ((this.#pieces[0]?.length ?? 0) < HEAD_BYTES) this.#join();
    const [first] = this.#pieces;
    return first && { type: first.readUInt8(4), payloadBytes: first.readUInt32BE(0) };
  }

  #take(byteCount: number, isTransient: boolean): Buffer {
    const [first] = this.#pieces;
    this.#bytes -= byteCount;
    if (first !== undefined && first.length > byteCount) {
      this.#pieces[0] = first.subarray(byteCount);
      return first.subarray(0, byteCount);
    }
    if (first?.length === byteCount) return this.#pieces.shift() ?? first;
    return this.#gather(this.#room(byteCount, isTransient));
  }

  #room(byteCount: number, isTransient: boolean): Buffer {
    if (!isTransient) return Buffer.allocUnsafe(byteCount);
    if (this.#scratch.length < byteCount) this.#scratch = Buffer.allocUnsafeSlow(byteCount);
    return this.#scratch.subarray(0, byteCount);
  }

  /** Moves as many bytes as there is room for. */
  #gather(into: Buffer): Buffer {
    let done = 0;
    let used = 0;
    for (; done < into.length; used += 1) {
      const piece = this.#pieces[used] ?? Buffer.alloc(0);
      const count = Math.min(piece.length, into.length - done);
      piece.copy(into, done, 0, count);
      done += count;
      if (count === piece.length) continue;
      this.#pieces[used] = piece.subarray(count);
      break;
    }
    this.#pieces.splice(0, used);
    return into;
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
   * The next message; undefined when there are no more, and then `end` says why. The bytes of pages
   * and parts are only valid until this is called again.
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

  /**
   * Sends, or does nothing after the end. It does not wait; see `isCongested`. `bytes` of a message
   * must not change before `onGone`, if that is ever called: they may wait.
   */
  send(message: StreamMessage, onGone: () => void = () => {}): void {
    if (this.#end !== undefined) return;
    const { type, parts } = encodeParts(message);
    const payloadBytes = parts.reduce((sum, { length }) => sum + length, 0);
    if (payloadBytes > PAYLOAD_BYTES_MAX) {
      throw streamError('stream_bad_message', `A message '${message.kind}' has become too long.`, {
        hint: 'Some name, address or list of this node is far longer than it should be.',
      });
    }
    this.#lastSentMs = this.#clock.monotonicMs();
    const last = parts.at(-1);
    const isLong = last !== undefined && last.length > COPIED_BYTES_MAX;
    const short = isLong ? parts.slice(0, -1) : parts;
    const first = Buffer.concat([frameHead(type, payloadBytes), ...short]);
    this.#duplex.write(first, isLong ? undefined : onGone);
    if (isLong) this.#duplex.write(last, onGone);
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
