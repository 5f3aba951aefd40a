import { parentPort, workerData } from 'node:worker_threads';
import { assert } from '@tandem/base';
import { Journal } from '@loggia/journal';
import { EmbeddedStore, serveStore, type EngineLimits, type TailSource } from '@loggia/warehouse';

/** What the main thread tells the warehouse's thread at its start. */
export interface WarehouseThreadData {
  /** The data folder. */
  readonly folder: string;
  /** For the files of the archive. */
  readonly cacheFolder: string;
  readonly limits: EngineLimits;
  readonly queriesRunningMax: number;
}

assert(parentPort !== null, 'the warehouse runs in a thread');
const { folder, cacheFolder, limits, queriesRunningMax } = workerData as WarehouseThreadData;
const journal = Journal.open({ folder, readOnly: true });
const tail: TailSource = {
  head: () => journal.tail.head(),
  packEvents: (afterId, rowsMax) => journal.tail.packEvents(afterId, rowsMax),
  packVisits: (afterChange, rowsMax) => journal.tail.packVisits(afterChange, rowsMax),
  snapshot: (body) => journal.snapshot(body),
  archive: journal.archive,
};
const queries = { runningMax: queriesRunningMax };
serveStore(parentPort, await EmbeddedStore.open({ tail, cacheFolder, limits, queries }));
