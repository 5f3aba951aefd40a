import {
  closeSync,
  existsSync,
  fsyncSync,
  linkSync,
  openSync,
  readdirSync,
  renameSync,
  rmSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { BaseError } from '@tandem/base';
import { CommandError } from './command-error.ts';

/**
 * A file that gets its name only when it is whole and on the disk. Until then it stands beside its
 * place under a name with this process's id; what processes that died have left there is removed.
 */
export class PartialFile {
  /** Where the file is until it has its name. */
  readonly path: string;
  readonly #target: string;
  readonly #isReplacing: boolean;

  /** @throws CommandError `exists` when there is such a file and it is not to be replaced. */
  constructor(target: string, options: { readonly isReplacing: boolean }) {
    this.#target = target;
    this.#isReplacing = options.isReplacing;
    this.#refuseExisting();
    const prefix = `.${basename(target)}.partial-`;
    this.path = join(dirname(target), prefix + process.pid);
    removeRemains(dirname(target), prefix);
  }

  /**
   * Has the file written, syncs it and gives it its name.
   *
   * @throws CommandError `file_failed` for whatever is not an operating failure with words of its own.
   */
  async write<Result>(write: (path: string) => Promise<Result>): Promise<Result> {
    try {
      const result = await write(this.path);
      syncPath(this.path);
      this.#giveName();
      syncPath(dirname(this.#target));
      return result;
    } catch (error) {
      if (error instanceof BaseError) throw error;
      const reason = error instanceof Error ? error.message.split('\n', 1)[0] : String(error);
      throw new CommandError('file_failed', `${this.#target} cannot be written: ${reason}`, {
        cause: error,
        hint: 'Check that there is space on the disk and that this user may write there.',
      });
    }
  }

  /** Removes what was written, unless it has its name, and what the writer kept beside it. */
  [Symbol.dispose](): void {
    const folder = dirname(this.path);
    for (const name of readdirSync(folder)) {
      if (!name.startsWith(basename(this.path))) continue;
      rmSync(join(folder, name), { force: true, recursive: true });
    }
  }

  #giveName(): void {
    if (this.#isReplacing) {
      renameSync(this.path, this.#target);
      return;
    }
    try {
      // Unlike a rename, this never replaces a file that appeared meanwhile.
      linkSync(this.path, this.#target);
    } catch (error) {
      this.#refuseExisting();
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') throw error;
      renameSync(this.path, this.#target);
    }
  }

  #refuseExisting(): void {
    if (this.#isReplacing || !existsSync(this.#target)) return;
    throw new CommandError('exists', `${this.#target} exists already.`, {
      hint: 'Name another file, or add --force to overwrite it.',
    });
  }
}

function removeRemains(folder: string, prefix: string): void {
  if (!existsSync(folder)) {
    throw new CommandError('not_found', `There is no folder ${folder}.`, {
      hint: 'Make it first, or name a file in another one.',
    });
  }
  for (const name of readdirSync(folder)) {
    const digits = name.startsWith(prefix) ? /^\d+/.exec(name.slice(prefix.length)) : null;
    if (digits === null || isAlive(Number(digits[0]))) continue;
    rmSync(join(folder, name), { force: true, recursive: true });
  }
}

function isAlive(pid: number): boolean {
  if (pid === process.pid) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

function syncPath(path: string): void {
  const file = openSync(path, 'r');
  try {
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}
