import { randomUUID } from 'node:crypto';
import { mkdir, open, unlink, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import type { SizedChunks } from '@tandem/storage';
import { fileFailure } from './replication-error.ts';

const READ_BYTES = 256 * 1024;

/**
 * A body whose size is known only when it is made: a snapshot, or merged files. It waits on the disk
 * for its upload, in a file without a name, which goes with the process.
 */
export class BackupSpool {
  readonly #file: FileHandle;
  readonly #folder: string;
  #sizeBytes = 0;

  private constructor(file: FileHandle, folder: string) {
    this.#file = file;
    this.#folder = folder;
  }

  /** @throws ReplicationError `disk_full`, `state_failed`. */
  static async open(folder: string): Promise<BackupSpool> {
    const path = join(folder, `.backup-${randomUUID()}.tmp`);
    try {
      await mkdir(folder, { recursive: true });
      const file = await open(path, 'wx+', 0o600);
      await unlink(path);
      return new BackupSpool(file, folder);
    } catch (error) {
      throw spoolFailure(error, folder);
    }
  }

  /** @throws ReplicationError `disk_full`, `state_failed`. */
  async write(chunk: Uint8Array): Promise<void> {
    try {
      await this.#file.writeFile(chunk);
      this.#sizeBytes += chunk.length;
    } catch (error) {
      throw spoolFailure(error, this.#folder);
    }
  }

  /** All that was written. It may be read again from the start, but by one reader at a time. */
  body(): SizedChunks {
    return { sizeBytes: this.#sizeBytes, chunks: this.#read() };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#file.close();
  }

  async *#read(): AsyncGenerator<Uint8Array> {
    const buffer = Buffer.alloc(READ_BYTES);
    for (let offset = 0; offset < this.#sizeBytes;) {
      const { bytesRead } = await this.#file.read(buffer, 0, READ_BYTES, offset);
      if (bytesRead === 0) return;
      yield buffer.subarray(0, bytesRead);
      offset += bytesRead;
    }
  }
}

function spoolFailure(error: unknown, folder: string): unknown {
  return fileFailure(error, `A backup cannot be made ready in ${folder}`, folder);
}
