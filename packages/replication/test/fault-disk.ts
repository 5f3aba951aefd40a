import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';

const { writeSync, writevSync, writeFileSync, copyFileSync, ftruncateSync, mkdirSync } = fs;
const WRITING = { writeSync, writevSync, writeFileSync, copyFileSync, ftruncateSync, mkdirSync };

/**
 * The disk of this process as its own code finds it. SQLite writes past it, as if the databases lay
 * on another disk than what is kept beside them.
 */
export class DiskSpace {
  #isFull = false;

  get isFull(): boolean {
    return this.#isFull;
  }

  /** From here on nothing can be written. */
  fill(): void {
    this.#isFull = true;
    const refuse = (): never => {
      throw Object.assign(new Error('ENOSPC: no space left on device'), {
        errno: -28,
        code: 'ENOSPC',
        syscall: 'write',
      });
    };
    for (const name of Object.keys(WRITING)) Object.assign(fs, { [name]: refuse });
    syncBuiltinESMExports();
  }

  free(): void {
    this.#isFull = false;
    Object.assign(fs, WRITING);
    syncBuiltinESMExports();
  }
}
