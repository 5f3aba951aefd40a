import { randomUUID } from 'node:crypto';
import { type FileHandle, open, rm, stat, unlink } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { type Clock, assert } from '@tandem/base';
import { exactChunks } from './body-parts.ts';
import { folderFailure, isAbsent } from './folder-failure.ts';
import {
  linkIntoPlace,
  makeFolder,
  moveIntoPlace,
  removeLeftovers,
  writeTemporary,
} from './folder-file.ts';
import { walkFolder } from './folder-walk.ts';
import { TEMPORARY_FOLDER, checkKey, checkPrefix } from './object-key.ts';
import type {
  ByteRange,
  ConditionalWrites,
  ListOptions,
  ObjectBody,
  ObjectStat,
  ObjectStore,
  PutOptions,
  StoredObject,
} from './object-store.ts';
import { StorageError } from './storage-error.ts';
import { checkStore } from './store-check.ts';

const READ_BYTES = 256 * 1024;

/**
 * Objects as files in a folder, which is made when first written to. Safe for several processes at
 * once (B1, B2). The file's time of modification is the object's `createdMs`, as Litestream has it.
 */
export class FolderStore implements ObjectStore {
  readonly url: string;
  readonly layout = 'folder';
  readonly #root: string;
  readonly #clock: Clock;
  #prepared: Promise<void> | undefined;

  constructor(path: string, clock: Clock) {
    this.#root = resolve(path);
    this.#clock = clock;
    this.url = pathToFileURL(this.#root).href;
  }

  async put(key: string, body: ObjectBody, options: PutOptions = {}): Promise<void> {
    await this.#write(key, body, options, async (temporaryPath, path) => {
      await moveIntoPlace(temporaryPath, path);
      return true;
    });
  }

  async putIfAbsent(key: string, body: Uint8Array): Promise<boolean> {
    return this.#write(key, body, {}, linkIntoPlace);
  }

  /** Hard links decide; a file system without them fails `putIfAbsent` instead of guessing. */
  async probeConditionalWrites(): Promise<ConditionalWrites> {
    const key = `tandem-probe-${randomUUID()}`;
    try {
      const first = await this.putIfAbsent(key, Buffer.from('1'));
      const second = await this.putIfAbsent(key, Buffer.from('2'));
      return first && !second ? 'honoured' : 'ignored';
    } catch (error) {
      if (error instanceof StorageError && error.code === 'storage_unsupported') return 'refused';
      throw error;
    } finally {
      await this.delete(key);
    }
  }

  async get(key: string, range?: ByteRange): Promise<Uint8Array> {
    assert(range === undefined || range.lengthBytes >= 1, 'a range has at least one byte');
    await using file = await this.#open(key);
    try {
      const { size } = await file.stat();
      const offset = Math.min(range?.offset ?? 0, size);
      const target = Buffer.alloc(Math.min(range?.lengthBytes ?? size, size - offset));
      return target.subarray(0, await readFully(file, target, offset));
    } catch (error) {
      throw folderFailure(error, this.#path(key));
    }
  }

  async *stream(key: string): AsyncGenerator<Uint8Array> {
    await using file = await this.#open(key);
    try {
      for (let offset = 0; ;) {
        const target = Buffer.alloc(READ_BYTES);
        const count = await readFully(file, target, offset);
        if (count > 0) yield target.subarray(0, count);
        if (count < READ_BYTES) return;
        offset += count;
      }
    } catch (error) {
      throw folderFailure(error, this.#path(key));
    }
  }

  async stat(key: string): Promise<ObjectStat> {
    const path = this.#path(key);
    try {
      const found = await stat(path);
      if (!found.isFile()) throw notFound(path);
      const modifiedMs = Math.round(found.mtimeMs);
      return { key, sizeBytes: found.size, modifiedMs, createdMs: modifiedMs };
    } catch (error) {
      throw isAbsent(error) ? notFound(path) : folderFailure(error, path);
    }
  }

  async *list(prefix: string, options: ListOptions = {}): AsyncGenerator<StoredObject> {
    checkPrefix(prefix);
    try {
      yield* walkFolder(this.#root, prefix, options.after ?? '');
    } catch (error) {
      throw folderFailure(error, this.#root);
    }
  }

  async delete(key: string): Promise<void> {
    const path = this.#path(key);
    try {
      await unlink(path);
    } catch (error) {
      if (!isAbsent(error)) throw folderFailure(error, path);
    }
  }

  async check(): Promise<void> {
    await checkStore(this);
  }

  async #write(
    key: string,
    body: ObjectBody,
    { createdMs }: PutOptions,
    place: (temporaryPath: string, path: string) => Promise<boolean>,
  ): Promise<boolean> {
    const path = this.#path(key);
    const temporaryPath = join(this.#root, TEMPORARY_FOLDER, randomUUID());
    try {
      await this.#prepare();
      await writeTemporary(temporaryPath, { chunks: exactChunks(body), createdMs });
      return await place(temporaryPath, path);
    } catch (error) {
      throw folderFailure(error, path);
    } finally {
      // What cannot be removed now goes with the leftovers, a day later.
      await rm(temporaryPath, { force: true }).catch(() => undefined);
    }
  }

  /** Once per store that succeeds; a folder that is not there yet may be mounted later. */
  async #prepare(): Promise<void> {
    this.#prepared ??= this.#prepareOnce();
    try {
      await this.#prepared;
    } catch (error) {
      this.#prepared = undefined;
      throw error;
    }
  }

  async #prepareOnce(): Promise<void> {
    const folder = join(this.#root, TEMPORARY_FOLDER);
    await makeFolder(folder);
    await removeLeftovers(folder, this.#clock.nowMs());
  }

  async #open(key: string): Promise<FileHandle> {
    const path = this.#path(key);
    try {
      const file = await open(path, 'r');
      if ((await file.stat()).isFile()) return file;
      await file.close();
    } catch (error) {
      if (!isAbsent(error)) throw folderFailure(error, path);
    }
    throw notFound(path);
  }

  #path(key: string): string {
    checkKey(key);
    return join(this.#root, key);
  }
}

/** Fills `target` from `offset` on, as far as the file goes. */
async function readFully(file: FileHandle, target: Uint8Array, offset: number): Promise<number> {
  let count = 0;
  while (count < target.length) {
    const { bytesRead } = await file.read(target, count, target.length - count, offset + count);
    if (bytesRead === 0) break;
    count += bytesRead;
  }
  return count;
}

function notFound(path: string): StorageError {
  return new StorageError('storage_not_found', `There is no file ${path}`);
}
