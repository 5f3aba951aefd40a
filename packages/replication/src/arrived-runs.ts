import type { ArrivedFile } from './stream-source.ts';

/** More files are not kept waiting for others. */
const FILES_MAX = 1024;
/** A longer run costs more to join than the syncs that it saves. */
const RUN_BYTES_MAX = 1 << 18;

interface Run {
  readonly files: ArrivedFile[];
  byteCount: number;
}

/**
 * Files of the primary's log that are here and wait for those that came with them: what one database
 * has in a row is applied and made durable at once. A run is of one epoch and one history, so that
 * what one epoch wrote can be told from what the next did.
 */
export class ArrivedRuns {
  readonly #runs = new Map<string, Run>();
  #fileCount = 0;
  #isLong = false;

  /** Whether the time has come to apply. */
  get isFull(): boolean {
    return this.#isLong || this.#fileCount >= FILES_MAX;
  }

  /** Whether the file can join what waits of its database, if there is anything. */
  accepts(name: string, file: ArrivedFile): boolean {
    const run = this.#runs.get(name);
    const last = run?.files.at(-1);
    if (run === undefined || last === undefined) return true;
    const isOfSameTime = last.epoch === file.epoch && last.history === file.history;
    const isShort = run.byteCount + file.bytes.length <= RUN_BYTES_MAX;
    return isOfSameTime && isShort && last.maxTxid + 1 === file.minTxid;
  }

  /** Adds a file that is accepted. */
  add(name: string, file: ArrivedFile): void {
    const run = this.#runs.get(name) ?? { files: [], byteCount: 0 };
    this.#runs.set(name, run);
    run.files.push(file);
    run.byteCount += file.bytes.length;
    this.#fileCount += 1;
    this.#isLong ||= run.byteCount >= RUN_BYTES_MAX;
  }

  /** All that waits, which then waits no longer: for each database one run, never empty. */
  take(): [name: string, files: readonly ArrivedFile[]][] {
    const runs = Array.from(this.#runs, ([name, { files }]): [string, ArrivedFile[]] => {
      return [name, files];
    });
    this.#runs.clear();
    this.#fileCount = 0;
    this.#isLong = false;
    return runs;
  }
}
