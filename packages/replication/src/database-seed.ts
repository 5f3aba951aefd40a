import {
  closeSync,
  fdatasync,
  fsyncSync,
  ftruncateSync,
  openSync,
  renameSync,
  rmSync,
  write,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { PageTable } from './page-table.ts';
import { fileFailure, ReplicationError } from './replication-error.ts';
import { syncFolder } from './small-file.ts';

/** What a database under way is called. It never counts as a database. */
export const INCOMING_SUFFIX = '.tandem-incoming';

/** So many bytes are handed to the disk at once, while others arrive. */
const SYNC_BYTES = 32 << 20;

/**
 * A database that this node does not have yet, or has with pages of another size: its pages gather in
 * a file beside the place where it will stand. What has arrived is kept when a transfer breaks off.
 */
export class DatabaseSeed {
  readonly table: PageTable;
  readonly #path: string;
  readonly #descriptor: number;
  #unsyncedBytes = 0;
  #syncing: Promise<void> | undefined;
  #isDiscarded = false;

  /** `path` is where the database will stand; the digests gather in `folder`. */
  constructor(path: string, folder: string, pageSize: number) {
    this.#path = path;
    this.table = PageTable.create(join(folder, 'incoming-pages'), pageSize);
    this.#descriptor = openSync(path + INCOMING_SUFFIX, 'w+');
  }

  /** Removes what a stopped process left; only its own process knows what a seed holds. */
  static removeLeftover(path: string, folder: string): void {
    rmSync(path + INCOMING_SUFFIX, { force: true });
    rmSync(join(folder, 'incoming-pages'), { force: true });
  }

  /**
   * Adds pages in a row, from `pgno` on. Writing and what is computed of them go on side by side; where
   * the disk is slower than the network, only so much is in the system's memory.
   *
   * Rejects with ReplicationError `disk_full`, `state_failed`.
   */
  async writePages(pgno: number, bytes: Uint8Array): Promise<void> {
    const writing = writeAll(this.#descriptor, bytes, (pgno - 1) * this.table.pageSize);
    let failure: unknown;
    try {
      this.table.setRun(pgno, bytes);
    } catch (error) {
      failure = error;
    }
    // In any case: the file is not to be closed while something is being written to it.
    const error = await writing;
    if (failure !== undefined) throw failure;
    if (error !== undefined) {
      throw fileFailure(error, `${this.#path} cannot be written`, this.#path);
    }
    this.#unsyncedBytes += bytes.length;
    if (this.#unsyncedBytes < SYNC_BYTES) return;
    if (this.#syncing === undefined) {
      this.#unsyncedBytes = 0;
      this.#syncing = this.#sync();
    } else if (this.#unsyncedBytes >= 2 * SYNC_BYTES) await this.#syncing;
  }

  /** Resolves when nothing is on its way to the disk; comes before `finish`. */
  async settled(): Promise<void> {
    await this.#syncing;
  }

  /**
   * Checks the whole and puts file and digests in their places; the seed is then used up.
   *
   * @throws ReplicationError `diverged` when the pages are not those of the digest.
   */
  finish(pageCount: number, digest: string, tablePath: string): void {
    this.table.truncate(pageCount);
    if (this.table.digest !== digest) {
      this.discard();
      throw new ReplicationError('diverged', `${this.#path} did not arrive as the primary has it`, {
        retryable: true,
      });
    }
    ftruncateSync(this.#descriptor, pageCount * this.table.pageSize);
    fsyncSync(this.#descriptor);
    closeSync(this.#descriptor);
    this.table.markSynced(0);
    this.table.close();
    renameSync(this.table.path, tablePath);
    renameSync(this.#path + INCOMING_SUFFIX, this.#path);
    syncFolder(dirname(this.#path));
  }

  /** Removes the files, and lets go of them as soon as nothing is on its way to the disk. */
  discard(): void {
    this.#isDiscarded = true;
    this.table.close();
    rmSync(this.#path + INCOMING_SUFFIX, { force: true });
    rmSync(this.table.path, { force: true });
    if (this.#syncing === undefined) closeSync(this.#descriptor);
  }

  /** What fails here fails again at the end, where it counts. */
  async #sync(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    fdatasync(this.#descriptor, () => resolve());
    await promise;
    this.#syncing = undefined;
    if (this.#isDiscarded) closeSync(this.#descriptor);
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
