import { join } from 'node:path';
import { parentPort, workerData } from 'node:worker_threads';
import { assert } from '@tandem/base';
import { keepArchive, type ArchiveReport } from '@loggia/archive';
import { Journal } from '@loggia/journal';

/** What the main thread tells the archive's thread at its start. */
export interface ArchiveThreadData {
  /** The data folder. */
  readonly folder: string;
  readonly nowMs: number;
  /** Whether to delete what has expired. */
  readonly withRetention: boolean;
  /** Not 0 once the thread has to end; it does so between two steps. */
  readonly stop: Int32Array<SharedArrayBuffer>;
}

assert(parentPort !== null, 'the archive is kept in a thread');
const { folder, nowMs, withRetention, stop } = workerData as ArchiveThreadData;
using journal = Journal.open({ folder });
const report: ArchiveReport = await keepArchive({
  journal,
  cacheFolder: join(folder, 'cache'),
  nowMs,
  withRetention,
  isStopped: () => Atomics.load(stop, 0) !== 0,
});
parentPort.postMessage(report);
