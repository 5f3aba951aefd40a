import { fsyncSync, ftruncateSync, openSync, renameSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { BlockWriter } from './block-writer.ts';
import { PageTable } from './page-table.ts';
import { PendingEntries } from './pending-entries.ts';
import { fileFailure, ReplicationError } from './replication-error.ts';
import { syncFolder } from './small-file.ts';

/** What a database under way is called. It never counts as a database. */
export const INCOMING_SUFFIX = '.tandem-incoming';

/**
 * A database that this node does not have yet, or has with pages of another size: its pages gather in
 * a file beside the place where it will stand. What has arrived is kept when a transfer breaks off.
 */
export class DatabaseSeed {
  readonly table: PageTable;
  readonly #path: string;
  readonly #descriptor: number;
  readonly #writer: BlockWriter;
  readonly #entries = new PendingEntries();
  #isDiscarded = false;

  /** `path` is where the database will stand; the digests gather in `folder`. */
  constructor(path: string, folder: string, pageSize: number) {
    this.#path = path;
    this.table = PageTable.create(join(folder, 'incoming-pages'), pageSize);
    this.#descriptor = openSync(path + INCOMING_SUFFIX, 'w+');
    this.#writer = new BlockWriter(this.#descriptor);
  }

  /** Removes what a stopped process left; only its own process knows what a seed holds. */
  static removeLeftover(path: string, folder: string): void {
    rmSync(path + INCOMING_SUFFIX, { force: true });
    rmSync(join(folder, 'incoming-pages'), { force: true });
  }

  /**
   * Adds pages in a row, from `pgno` on; `bytes` are of use during the call only. The pages are written
   * while others arrive, so that it may be a later call that rejects.
   *
   * Rejects with ReplicationError `disk_full`, `state_failed`.
   */
  async writePages(pgno: number, bytes: Uint8Array): Promise<void> {
    const { pageSize } = this.table;
    if (this.#entries.room < bytes.length / pageSize) await this.#enter();
    this.#entries.add(pgno, bytes, pageSize);
    await this.#writer.write(bytes, (pgno - 1) * pageSize);
    if (this.#writer.hasFailed) await this.#enter();
  }

  /**
   * Resolves when everything that came is in the file, the digests are those of the file, and nothing is
   * on its way to the disk. Comes before `finish`, and before what the seed holds is told of.
   *
   * Rejects with ReplicationError `disk_full`, `state_failed`.
   */
  async settled(): Promise<void> {
    try {
      await this.#enter();
    } finally {
      await this.#writer.idle();
    }
  }

  /**
   * Checks the whole and puts file and digests in their places; the seed is then used up. `settled` has
   * resolved, and nothing came since.
   *
   * @throws ReplicationError `diverged` when the pages are not those of the digest; `disk_full`,
   * `state_failed`.
   */
  finish(pageCount: number, digest: string, tablePath: string): void {
    const { syncFailure } = this.#writer;
    if (syncFailure !== undefined) {
      this.discard();
      throw this.#failure(syncFailure);
    }
    this.table.truncate(pageCount);
    if (this.table.digest !== digest) {
      this.discard();
      throw new ReplicationError('diverged', `${this.#path} did not arrive as the primary has it`, {
        retryable: true,
      });
    }
    ftruncateSync(this.#descriptor, pageCount * this.table.pageSize);
    fsyncSync(this.#descriptor);
    // R1. Before it is a database: closing it later would drop the locks of those who opened it since.
    this.#writer.closeIdle();
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
    void this.#writer.close();
  }

  /** Where a write has failed, what came since the last time counts as not held. */
  async #enter(): Promise<void> {
    const failure = await this.#writer.written();
    if (this.#isDiscarded) return;
    this.#entries.enter(this.table, failure === undefined);
    if (failure !== undefined) throw this.#failure(failure);
  }

  #failure(error: Error): unknown {
    return fileFailure(error, `${this.#path} cannot be written`, this.#path);
  }
}
