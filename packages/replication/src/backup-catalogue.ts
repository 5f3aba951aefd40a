import type { LtxFile, StoredLtxFile } from '@tandem/storage';

/** What a listing shows that this program did not put there. */
export interface ForeignFile {
  readonly file: StoredLtxFile;
  readonly reason: 'unknown' | 'changed';
}

/**
 * The files of a generation as far as this program knows: those it found, and those it put there
 * since. It saves listing the store again and again, and shows what another has put beside them.
 */
export class BackupCatalogue {
  readonly #files: Map<string, StoredLtxFile>;
  /** Keys that are being written, so that a listing may show them or not. */
  readonly #underway = new Set<string>();
  /** Keys whose writing failed, which may yet have arrived. */
  readonly #doubtful = new Set<string>();

  constructor(files: readonly StoredLtxFile[]) {
    this.#files = new Map(files.map((file) => [file.key, file]));
  }

  files(): StoredLtxFile[] {
    return [...this.#files.values()];
  }

  has(key: string): boolean {
    return this.#files.has(key);
  }

  /** Whether there is a file from which a restore can begin. */
  get hasBase(): boolean {
    return this.files().some(({ minTxid }) => minTxid === 1);
  }

  get endTxid(): number {
    return this.files().reduce((end, { maxTxid }) => Math.max(end, maxTxid), 0);
  }

  /** Enters `file` when `write` has put it there. */
  async write(file: StoredLtxFile, write: () => Promise<void>): Promise<void> {
    try {
      await this.#during(file.key, write);
    } catch (error) {
      this.#doubtful.add(file.key);
      throw error;
    }
    this.#doubtful.delete(file.key);
    this.#files.set(file.key, file);
  }

  /** Strikes `file` out when `remove` has removed it. */
  async remove(file: StoredLtxFile, remove: () => Promise<void>): Promise<void> {
    await this.#during(file.key, remove);
    this.#files.delete(file.key);
  }

  /** Forgets what a listing from `list` does not show, and tells what another has put there. */
  async compare(list: () => Promise<readonly StoredLtxFile[]>): Promise<ForeignFile | undefined> {
    const before = new Map(this.#files);
    const wasUnderway = new Set(this.#underway);
    const listed = await list();
    const isCertain = ({ key }: StoredLtxFile): boolean =>
      !wasUnderway.has(key) && !this.#underway.has(key) && before.get(key) === this.#files.get(key);
    const keys = new Set(listed.map(({ key }) => key));
    for (const file of before.values()) {
      if (isCertain(file) && !keys.has(file.key)) this.#files.delete(file.key);
    }
    for (const file of listed.filter(isCertain)) {
      if (this.#doubtful.delete(file.key)) this.#files.set(file.key, file);
      const known = this.#files.get(file.key);
      if (known === undefined) return { file, reason: 'unknown' };
      if (known.sizeBytes !== file.sizeBytes) return { file, reason: 'changed' };
    }
    return undefined;
  }

  async #during(key: string, act: () => Promise<void>): Promise<void> {
    this.#underway.add(key);
    try {
      await act();
    } finally {
      this.#underway.delete(key);
    }
  }
}

/**
 * Two files of level 0 that hold the same transaction, which one history never leads to: another
 * primary has uploaded beside this one. Undefined when there are none.
 */
export function findOverlap<File extends LtxFile>(
  files: readonly File[],
): readonly [File, File] | undefined {
  const captured = files
    .filter(({ level }) => level === 0)
    .toSorted((a, b) => a.minTxid - b.minTxid || a.maxTxid - b.maxTxid);
  let last: File | undefined;
  for (const file of captured) {
    if (last !== undefined && file.minTxid <= last.maxTxid) return [last, file];
    if (last === undefined || file.maxTxid > last.maxTxid) last = file;
  }
  return undefined;
}

/** The file that says most about the last state: the smallest of those that end with it. */
export function newestFile<File extends LtxFile>(files: readonly File[]): File | undefined {
  return files.reduce<File | undefined>((best, file) => {
    if (best === undefined || file.maxTxid > best.maxTxid) return file;
    if (file.maxTxid < best.maxTxid) return best;
    return file.minTxid > best.minTxid ? file : best;
  }, undefined);
}
