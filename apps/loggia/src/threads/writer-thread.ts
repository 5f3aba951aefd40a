import { parentPort, workerData } from 'node:worker_threads';
import { assert } from '@tandem/base';
import { serveWriter } from '@loggia/ingest';
import { Journal } from '@loggia/journal';

/** What the main thread tells the writer's thread at its start. */
export interface WriterThreadData {
  /** The data folder. */
  readonly folder: string;
}

assert(parentPort !== null, 'the writer runs in a thread');
const { folder } = workerData as WriterThreadData;
serveWriter(parentPort, Journal.open({ folder }));
