import { mkdir, open, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { NodeApi } from './node-api.ts';
import { LAG_FILE, PRIMARY_FILE, roleFiles, type RoleFile } from './role-files.ts';

export interface RoleFileWriterOptions {
  readonly node: Pick<NodeApi, 'status' | 'listen'>;
  /** Where the files stand. */
  readonly folder: string;
  /** Between two writings; the lag changes by itself. */
  readonly intervalMs: number;
  /** Told of each failure; the next writing tries again. */
  readonly onError: (error: unknown) => void;
}

/**
 * Keeps the small files for scripts up to date. Each is replaced as a whole, so that a reader sees the
 * old text or the new. They are not synced to disk: after a crash of the machine they mean nothing,
 * and the next start writes them anew. An orderly end removes them.
 */
export class RoleFileWriter {
  readonly #options: RoleFileWriterOptions;
  /** What stands in each file, as far as this process has written it. */
  readonly #written = new Map<string, string>();

  constructor(options: RoleFileWriterOptions) {
    this.#options = options;
  }

  /** Writes until `signal` aborts, then removes the files. */
  async run(signal: AbortSignal): Promise<void> {
    const { node, intervalMs } = this.#options;
    const { folder } = this.#options;
    await rm(join(folder, PRIMARY_FILE), { force: true });
    await rm(join(folder, LAG_FILE), { force: true });
    let wake = Promise.withResolvers<void>();
    const stop = (): void => wake.resolve();
    // A change of the role is told at once; positions change too often for that.
    const unlisten = node.listen(({ kind }) => {
      if (kind !== 'position') wake.resolve();
    });
    signal.addEventListener('abort', stop, { once: true });
    while (!signal.aborted) {
      wake = Promise.withResolvers<void>();
      await this.refresh();
      const timer = setTimeout(() => wake.resolve(), intervalMs);
      if (!signal.aborted) await wake.promise;
      clearTimeout(timer);
    }
    signal.removeEventListener('abort', stop);
    unlisten();
    await this.#removeAll();
  }

  /** Brings the files to what the node is now. */
  async refresh(): Promise<void> {
    const files = roleFiles(this.#options.node.status());
    const names = new Set(files.map(({ name }) => name));
    for (const name of this.#written.keys()) {
      if (!names.has(name)) await this.#attempt(() => this.#remove(name));
    }
    for (const file of files) {
      if (this.#written.get(file.name) !== file.text) await this.#attempt(() => this.#write(file));
    }
  }

  async #removeAll(): Promise<void> {
    for (const name of this.#written.keys()) await this.#attempt(() => this.#remove(name));
  }

  async #attempt(act: () => Promise<void>): Promise<void> {
    try {
      await act();
    } catch (error) {
      this.#options.onError(error);
    }
  }

  async #write({ name, text, changedAtMs }: RoleFile): Promise<void> {
    const path = join(this.#options.folder, name);
    const temporary = `${path}.tmp`;
    await mkdir(dirname(path), { recursive: true });
    const file = await open(temporary, 'w');
    try {
      await file.writeFile(text);
      if (changedAtMs !== undefined) await file.utimes(changedAtMs / 1000, changedAtMs / 1000);
    } finally {
      await file.close();
    }
    await rename(temporary, path);
    this.#written.set(name, text);
  }

  async #remove(name: string): Promise<void> {
    await rm(join(this.#options.folder, name), { force: true });
    this.#written.delete(name);
  }
}
