import {
  closeSync,
  fsyncSync,
  ftruncateSync,
  openSync,
  renameSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { PageTable } from './page-table.ts';
import { ReplicationError } from './replication-error.ts';
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

  writePage(pgno: number, data: Uint8Array): void {
    writeSync(this.#descriptor, data, 0, data.length, (pgno - 1) * this.table.pageSize);
    this.table.setPage(pgno, data);
  }

  /**
   * Checks the whole and puts file and digests in their places; the seed is then used up.
   *
   * @throws ReplicationError `diverged` when the pages are not those of the digest.
   */
  finish(pageCount: number, digest: string, tablePath: string): void {
    this.table.truncate(pageCount);
    if (this.table.digest !== digest) {
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

  /** Lets go of the files and removes them. */
  discard(): void {
    closeSync(this.#descriptor);
    this.table.close();
    rmSync(this.#path + INCOMING_SUFFIX, { force: true });
    rmSync(this.table.path, { force: true });
  }
}
