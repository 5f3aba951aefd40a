import * as fs from 'node:fs';
import { dirname } from 'node:path';
import { assert } from '@tandem/base';
import { errnoOf, fileFailure, ReplicationError } from './replication-error.ts';

/** The calls by which the state of a node is kept. Tests pass their own, which fail or stop. */
export type FileOperations = Pick<
  typeof fs,
  | 'closeSync'
  | 'copyFileSync'
  | 'existsSync'
  | 'fstatSync'
  | 'fsyncSync'
  | 'ftruncateSync'
  | 'futimesSync'
  | 'mkdirSync'
  | 'openSync'
  | 'readFileSync'
  | 'readSync'
  | 'readdirSync'
  | 'renameSync'
  | 'rmSync'
  | 'statSync'
  | 'unlinkSync'
  | 'writeFileSync'
  | 'writeSync'
  | 'writevSync'
>;

/** The file system itself. */
export const nodeFiles: FileOperations = fs;

/** What is being written, under a name that no reader looks for. */
export const TEMPORARY_SUFFIX = '.tmp';

/** Far above any state of a node; a larger file is not one of ours. */
const SMALL_BYTES_MAX = 4 * 1024 * 1024;

export interface SmallFileOptions<Value> {
  readonly path: string;
  /** Checks what the file holds. Whatever it throws means that the file is damaged. */
  readonly parse: (value: unknown) => Value;
  /** What an operator can do about a damaged file, as one sentence. */
  readonly hint: string;
  readonly files?: FileOperations;
}

/**
 * A value kept as JSON in a file that is only ever replaced as a whole: whenever the process or the
 * machine stops, the file holds the old value or the new one. One process writes it, any may read.
 */
export class SmallFile<Value> {
  readonly path: string;
  readonly #parse: (value: unknown) => Value;
  readonly #hint: string;
  readonly #files: FileOperations;

  constructor({ path, parse, hint, files = nodeFiles }: SmallFileOptions<Value>) {
    this.path = path;
    this.#parse = parse;
    this.#hint = hint;
    this.#files = files;
  }

  /**
   * The value, or undefined when there is no file.
   *
   * @throws ReplicationError `state_damaged`, `state_failed`.
   */
  read(): Value | undefined {
    const bytes = readIfExists(this.path, this.#files);
    if (bytes === undefined) return undefined;
    try {
      if (bytes.length > SMALL_BYTES_MAX) throw new RangeError(`it has ${bytes.length} bytes`);
      return this.#parse(JSON.parse(bytes.toString('utf8')));
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      throw new ReplicationError('state_damaged', `${this.path} is damaged: ${why}`, {
        cause: error,
        hint: this.#hint,
      });
    }
  }

  /**
   * Puts `value` in the place of the old one, durably.
   *
   * @throws ReplicationError `disk_full`, `state_failed`; the file then holds the old value, or the
   * new one if only the last sync failed.
   */
  replace(value: Value): void {
    const text = JSON.stringify(value, undefined, 2);
    assert(typeof text === 'string', 'a small file holds a value that JSON knows');
    replaceFile(this.path, `${text}\n`, this.#files);
  }

  /** Removes what a stopped `replace` left. For the process that writes the file, at its start. */
  removeLeftover(): void {
    removeIfExists(this.path + TEMPORARY_SUFFIX, this.#files);
  }
}

/**
 * Puts `content` in the place of the file at `path`, durably and as a whole. There is one writer of
 * a path at a time, so that the temporary name can be fixed and a leftover is written over.
 *
 * @throws ReplicationError `disk_full`, `state_failed`.
 */
export function replaceFile(
  path: string,
  content: string | Uint8Array,
  files: FileOperations = nodeFiles,
): void {
  const temporary = path + TEMPORARY_SUFFIX;
  try {
    const descriptor = files.openSync(temporary, 'w');
    try {
      files.writeFileSync(descriptor, content);
      files.fsyncSync(descriptor);
    } finally {
      files.closeSync(descriptor);
    }
    files.renameSync(temporary, path);
    syncFolder(dirname(path), files);
  } catch (error) {
    removeQuietly(temporary, files);
    throw fileFailure(error, `${path} cannot be written`, path);
  }
}

/** Makes the names in a folder durable: those added, renamed and removed. */
export function syncFolder(folder: string, files: FileOperations = nodeFiles): void {
  const descriptor = files.openSync(folder, 'r');
  try {
    files.fsyncSync(descriptor);
  } finally {
    files.closeSync(descriptor);
  }
}

/**
 * The bytes of the file at `path`, or undefined when there is none.
 *
 * @throws ReplicationError `state_failed`.
 */
export function readIfExists(
  path: string,
  files: FileOperations = nodeFiles,
): Buffer<ArrayBuffer> | undefined {
  try {
    return files.readFileSync(path);
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return undefined;
    throw fileFailure(error, `${path} cannot be read`, path);
  }
}

/**
 * Removes the file or folder at `path` with all in it; one that is not there is no failure.
 *
 * @throws ReplicationError `state_failed`.
 */
export function removeIfExists(path: string, files: FileOperations = nodeFiles): void {
  try {
    files.rmSync(path, { recursive: true, force: true });
  } catch (error) {
    throw fileFailure(error, `${path} cannot be removed`, path);
  }
}

/** Fills `bytes` from `offset` of the file on; false when the file ends before that. */
export function readFully(
  descriptor: number,
  bytes: Uint8Array,
  offset: number,
  files: FileOperations,
): boolean {
  let done = 0;
  while (done < bytes.length) {
    const count = files.readSync(descriptor, bytes, done, bytes.length - done, offset + done);
    if (count === 0) return false;
    done += count;
  }
  return true;
}

/** Writes all of `bytes` at `offset` of the file, which the system may do in several steps. */
export function writeFully(
  descriptor: number,
  bytes: Uint8Array,
  offset: number,
  files: FileOperations,
): void {
  let done = 0;
  while (done < bytes.length) {
    const rest = bytes.length - done;
    done += files.writeSync(descriptor, bytes, done, rest, offset + done);
  }
}

/** Clears up after a failure, which is what the caller reports; a second one adds nothing to it. */
export function removeQuietly(path: string, files: FileOperations): void {
  try {
    files.unlinkSync(path);
  } catch {
    // What stays has a temporary name, which the next start removes.
  }
}
