import { connect, type Socket } from 'node:net';
import { Duplex } from 'node:stream';

/** What one read of the system brings at most. */
const READ_BYTES = 1 << 20;

/** Where a client connects to. */
export interface SocketTarget {
  readonly host: string;
  readonly port: number;
}

/**
 * A TCP connection that reads into one piece of memory again and again. A socket of Node.js has new
 * memory of 64 KiB for each read; collecting that costs more than reading.
 *
 * It is a stream as any, whose pieces are copies, until `lendTo` is called.
 */
export class ClientSocket extends Duplex {
  readonly #socket: Socket;
  #borrower: ((piece: Buffer) => void) | undefined;

  constructor({ host, port }: SocketTarget) {
    super({ allowHalfOpen: false });
    const buffer = Buffer.allocUnsafeSlow(READ_BYTES);
    const callback = (count: number): boolean => this.#take(buffer.subarray(0, count));
    this.#socket = connect({ host, port, onread: { buffer, callback } });
    this.#socket.on('end', () => this.push(null));
    this.#socket.on('error', (error) => this.destroy(error));
    this.#socket.on('close', () => this.destroy());
    this.on('resume', () => this.#socket.resume());
  }

  /**
   * From now on the pieces go to `borrower` instead of being read. One is valid until the stream goes
   * on: where `borrower` pauses it, until it is resumed, and else until `borrower` returns.
   */
  lendTo(borrower: (piece: Buffer) => void): void {
    for (let piece: unknown = this.read(); piece !== null; piece = this.read()) {
      if (piece instanceof Buffer) borrower(piece);
    }
    this.#borrower = borrower;
    this.resume();
  }

  setNoDelay(isOn: boolean): void {
    this.#socket.setNoDelay(isOn);
  }

  setKeepAlive(isOn: boolean, initialDelayMs: number): void {
    this.#socket.setKeepAlive(isOn, initialDelayMs);
  }

  override _read(): void {
    this.#socket.resume();
  }

  override _write(bytes: Buffer, encoding: BufferEncoding, done: (error?: Error | null) => void) {
    this.#socket.write(bytes, encoding, done);
  }

  override _final(done: (error?: Error | null) => void): void {
    this.#socket.end(done);
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.#socket.destroy();
    done(error);
  }

  /** False when the system is to read no more for now. */
  #take(piece: Buffer): boolean {
    if (this.#borrower === undefined) return this.push(Buffer.from(piece));
    this.#borrower(piece);
    return !this.isPaused();
  }
}
