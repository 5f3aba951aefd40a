import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';

/** A folder for the data of one run, removed at its end. */
export class WorkFolder {
  readonly path: string;
  #count = 0;

  /** Makes the folder within `parent`, which is made if need be. */
  constructor(parent: string) {
    mkdirSync(parent, { recursive: true });
    this.path = mkdtempSync(join(parent, 'work-'));
  }

  /** A new empty folder. */
  make(name: string): string {
    const path = this.nameOf(name);
    mkdirSync(path);
    return path;
  }

  /** The path of a folder that does not exist yet. */
  nameOf(name: string): string {
    this.#count += 1;
    return join(this.path, `${this.#count}-${name}`);
  }

  /** Works while the process exits. */
  remove(): void {
    rmSync(this.path, { recursive: true, force: true, maxRetries: 3 });
  }
}
