import { open, rm, type FileHandle } from 'node:fs/promises';
import { assert } from '@tandem/base';
import { LtxDecoder, lockPage, pageChecksum, RollingChecksum, type LtxPage } from '@tandem/ltx';
import type { ObjectStore, StoredLtxFile } from '@tandem/storage';
import { BackupError } from './backup-error.ts';
import { decodedPages } from './backup-merge.ts';
import { storedChecksums } from './backup-state.ts';
import { quickCheck } from './quick-check.ts';
import { fileFailure } from './replication-error.ts';

const READ_BYTES = 1024 * 1024;

/**
 * A database in the making: a file that nobody looks at yet, to which the files of a backup are
 * applied one after another. It holds a piece of one of them in memory.
 */
export class RestoreFile {
  readonly path: string;
  readonly #file: FileHandle;
  #pageSize = 0;
  #pageCount = 0;
  #txid = 0;
  #createdMs = 0;
  /** What the database should add up to; undefined when the last file does not say. */
  #checksum: bigint | undefined;

  private constructor(path: string, file: FileHandle) {
    this.path = path;
    this.#file = file;
  }

  /** Begins anew at `path`; what a stopped restore left there goes. @throws ReplicationError */
  static async open(path: string): Promise<RestoreFile> {
    try {
      await rm(path, { force: true });
      return new RestoreFile(path, await open(path, 'wx+', 0o644));
    } catch (error) {
      throw fileFailure(error, `${path} cannot be made`, path);
    }
  }

  get pageSize(): number {
    return this.#pageSize;
  }

  get pageCount(): number {
    return this.#pageCount;
  }

  /** When the last transaction was committed. */
  get createdMs(): number {
    return this.#createdMs;
  }

  /**
   * Applies the next file, which begins at or before the next transaction.
   *
   * @throws StorageError; BackupError `backup_damaged`, `backup_diverged`; ReplicationError
   * `disk_full`, `state_failed`; the signal's reason. The file is then of no use any more.
   */
  async apply(store: ObjectStore, source: StoredLtxFile, signal: AbortSignal): Promise<void> {
    assert(source.minTxid <= this.#txid + 1, 'no transaction is left out');
    const decoder = new LtxDecoder();
    let isChecked = false;
    for await (const pages of decodedPages(store, source, decoder)) {
      if (!isChecked) this.#checkSuccession(source, decoder);
      isChecked = true;
      await this.#writePages(pages);
      signal.throwIfAborted();
    }
    const { header } = decoder;
    assert(header !== undefined, 'a file that was decoded has a header');
    this.#checkSuccession(source, decoder);
    this.#pageSize = header.pageSize;
    this.#pageCount = header.commit;
    this.#txid = header.maxTxid;
    this.#createdMs = header.timestampMs;
    this.#checksum = storedChecksums(header, decoder.finish().postApplyChecksum).after;
    await this.#during(() => this.#file.truncate(header.commit * header.pageSize));
  }

  /**
   * Reads all that was written and compares it with the checksum that the last file states, lets
   * SQLite look at it, and makes it durable.
   *
   * @throws BackupError `restore_check_failed`; ReplicationError; the signal's reason.
   */
  async finish(signal: AbortSignal): Promise<void> {
    const sum = await this.#during(() => this.#sumUp(signal));
    if (this.#checksum !== undefined && sum !== this.#checksum) {
      throw checkFailed(`its pages do not add up to the checksum of transaction ${this.#txid}`);
    }
    await this.#during(() => this.#file.sync());
    const complaint = await quickCheck(this.path);
    if (complaint !== undefined) throw checkFailed(`SQLite says: ${complaint}`);
  }

  /** Lets go of the file, which stays. */
  async close(): Promise<void> {
    await this.#file.close();
  }

  /** Lets go of the file and removes it. */
  async discard(): Promise<void> {
    await this.#file.close();
    await rm(this.path, { force: true });
  }

  #checkSuccession(source: StoredLtxFile, { header }: LtxDecoder): void {
    if (header === undefined || this.#txid === 0) return;
    const isNext = header.minTxid === this.#txid + 1;
    const { before } = storedChecksums(header);
    const fits = before === undefined || before === (this.#checksum ?? before);
    if (header.pageSize === this.#pageSize && (!isNext || fits)) return;
    throw new BackupError(
      'backup_diverged',
      `${source.key} does not begin with the state that transaction ${this.#txid} leaves`,
      {
        hint:
          `Two primaries have written to the backup. Transaction ${this.#txid} and those before it ` +
          'can be restored.',
      },
    );
  }

  /** Pages that follow one another are written at once. */
  async #writePages(pages: readonly LtxPage[]): Promise<void> {
    let run: LtxPage[] = [];
    for (const page of pages) {
      if (page.pgno !== (run.at(-1)?.pgno ?? 0) + 1) {
        await this.#writeRun(run);
        run = [];
      }
      run.push(page);
    }
    await this.#writeRun(run);
  }

  async #writeRun(run: readonly LtxPage[]): Promise<void> {
    const [first] = run;
    if (first === undefined) return;
    const bytes = Buffer.concat(run.map(({ data }) => data));
    const offset = (first.pgno - 1) * first.data.length;
    await this.#during(async () => {
      for (let done = 0; done < bytes.length;) {
        const rest = bytes.length - done;
        done += (await this.#file.write(bytes, done, rest, offset + done)).bytesWritten;
      }
    });
  }

  async #sumUp(signal: AbortSignal): Promise<bigint> {
    const rolling = new RollingChecksum();
    const skipped = lockPage(this.#pageSize);
    const sum = new Uint32Array(2);
    const buffer = Buffer.alloc(Math.max(READ_BYTES, this.#pageSize));
    const pagesAtOnce = buffer.length / this.#pageSize;
    for (let first = 1; first <= this.#pageCount; first += pagesAtOnce) {
      const count = Math.min(pagesAtOnce, this.#pageCount - first + 1);
      const bytes = buffer.subarray(0, count * this.#pageSize);
      await this.#read(bytes, (first - 1) * this.#pageSize);
      for (let pgno = first; pgno < first + count; pgno += 1) {
        if (pgno === skipped) continue;
        const offset = (pgno - first) * this.#pageSize;
        pageChecksum(pgno, bytes.subarray(offset, offset + this.#pageSize), sum);
        rolling.toggle(sum[0] ?? 0, sum[1] ?? 0);
      }
      signal.throwIfAborted();
    }
    return rolling.toBigInt();
  }

  async #read(bytes: Buffer, offset: number): Promise<void> {
    for (let done = 0; done < bytes.length;) {
      const rest = bytes.length - done;
      const { bytesRead } = await this.#file.read(bytes, done, rest, offset + done);
      if (bytesRead === 0) throw checkFailed('the file is shorter than what was written to it');
      done += bytesRead;
    }
  }

  async #during<Result>(act: () => Promise<Result>): Promise<Result> {
    try {
      return await act();
    } catch (error) {
      throw fileFailure(error, `${this.path} cannot be written`, this.path);
    }
  }
}

function checkFailed(why: string): BackupError {
  return new BackupError('restore_check_failed', `The restored database is not sound: ${why}`, {
    hint: 'Nothing was put in its place. Restore an earlier state, and verify the backup.',
  });
}
