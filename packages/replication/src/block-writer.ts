import { closeSync, fdatasync, write } from 'node:fs';
import { assert } from '@tandem/base';

/** What is written at once: what is larger has left the processor's cache before it is written. */
const BLOCK_BYTES = 1 << 18;
/** Blocks in memory: one gathers bytes while the others are on their way to the file. */
const BLOCKS = 8;
/** So many bytes are handed to the disk at once, while others arrive. */
const SYNC_BYTES = 32 << 20;

/**
 * Writes a file in blocks, behind whoever has the bytes: they are copied, and written while others
 * arrive. Where the disk is slower than the network, only so much is in our and in the system's memory.
 */
export class BlockWriter {
  readonly #descriptor: number;
  readonly #blocks: Buffer[] = [];
  /** For each block, what settles when it may be used again. */
  readonly #underway: Promise<void>[] = [];
  /** The last of them to begin. */
  #last: Promise<void> | undefined;
  /** Blocks that are on their way. */
  #writing = 0;
  /** The block that gathers bytes, where these belong, and how many they are. */
  #turn = 0;
  #offset = 0;
  #length = 0;
  /** Where the bytes end that came last. */
  #end = 0;
  #failure: Error | undefined;
  #unsyncedBytes = 0;
  #syncing: Promise<void> | undefined;
  #syncFailure: Error | undefined;

  /** Either `close` or `closeIdle` closes `descriptor` in the end. */
  constructor(descriptor: number) {
    this.#descriptor = descriptor;
  }

  /** Whether something could not be written since the last `written`. */
  get hasFailed(): boolean {
    return this.#failure !== undefined;
  }

  /**
   * Why bytes that had been written did not reach the disk. The system says so once and then takes them
   * for written; so the file is good for nothing any more.
   */
  get syncFailure(): Error | undefined {
    return this.#syncFailure;
  }

  /** Takes bytes; resolves when there is room for more. No two calls overlap. Never rejects. */
  async write(bytes: Uint8Array, offset: number): Promise<void> {
    if (this.#length > 0 && offset !== this.#offset + this.#length) this.#issue();
    // What is written twice is to be in the file as it was written last.
    if (offset < this.#end) await Promise.all(this.#underway);
    this.#end = offset + bytes.length;
    for (let done = 0; done < bytes.length;) {
      if (this.#length === 0) {
        await this.#underway[this.#turn];
        this.#offset = offset + done;
      }
      const block = (this.#blocks[this.#turn] ??= Buffer.allocUnsafeSlow(BLOCK_BYTES));
      const count = Math.min(bytes.length - done, BLOCK_BYTES - this.#length);
      block.set(bytes.subarray(done, done + count), this.#length);
      this.#length += count;
      done += count;
      if (this.#length === BLOCK_BYTES) this.#issue();
    }
  }

  /**
   * Resolves when all bytes are in the file, with why some of them are not, if so. The next writes are
   * then judged by themselves. It leaves open whether they are on the disk.
   */
  async written(): Promise<Error | undefined> {
    if (this.#length > 0) this.#issue();
    await Promise.all(this.#underway);
    const failure = this.#failure;
    this.#failure = undefined;
    return failure;
  }

  /** Resolves when nothing is on its way to the disk. Never rejects. */
  async idle(): Promise<void> {
    await Promise.all(this.#underway);
    await this.#syncing;
  }

  /** Closes the file, as soon as nothing is on its way to it. Never rejects. */
  async close(): Promise<void> {
    this.#length = 0;
    await this.idle();
    closeSync(this.#descriptor);
  }

  /** Closes the file at once. Nothing came since `written` and `idle` resolved. */
  closeIdle(): void {
    assert(this.#writing === 0 && this.#syncing === undefined, 'nothing is on its way to the file');
    closeSync(this.#descriptor);
  }

  /** Sends the block that gathers bytes on its way, and goes on with the next. */
  #issue(): void {
    const block = this.#blocks[this.#turn];
    if (block === undefined) return;
    const bytes = block.subarray(0, this.#length);
    this.#last = this.#writeBlock(bytes, this.#offset, this.#last);
    this.#underway[this.#turn] = this.#last;
    this.#turn = (this.#turn + 1) % BLOCKS;
    this.#length = 0;
  }

  /** One after the other: the system lets only one write a file, and the others wait busily. */
  async #writeBlock(
    bytes: Uint8Array,
    offset: number,
    before: Promise<void> | undefined,
  ): Promise<void> {
    this.#writing += 1;
    await before;
    const failure = await writeAll(this.#descriptor, bytes, offset);
    this.#writing -= 1;
    this.#failure ??= failure;
    this.#unsyncedBytes += bytes.length;
    if (this.#unsyncedBytes < SYNC_BYTES) return;
    if (this.#syncing === undefined) {
      this.#unsyncedBytes = 0;
      this.#syncing = this.#sync();
    } else if (this.#unsyncedBytes >= 2 * SYNC_BYTES) await this.#syncing;
  }

  async #sync(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<Error | null>();
    fdatasync(this.#descriptor, resolve);
    const failure = await promise;
    this.#syncFailure ??= failure ?? undefined;
    this.#syncing = undefined;
  }
}

/** Writes all of `bytes`, which the system may do in several steps. Resolves with why it could not. */
async function writeAll(
  descriptor: number,
  bytes: Uint8Array,
  offset: number,
): Promise<Error | undefined> {
  for (let done = 0; done < bytes.length;) {
    const { promise, resolve } = Promise.withResolvers<number | Error>();
    const rest = bytes.length - done;
    write(descriptor, bytes, done, rest, offset + done, (error, count) => resolve(error ?? count));
    const outcome = await promise;
    if (outcome instanceof Error) return outcome;
    done += outcome;
  }
  return undefined;
}
