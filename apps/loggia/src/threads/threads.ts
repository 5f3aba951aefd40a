import { Worker } from 'node:worker_threads';
import { STORE_RESOURCE_LIMITS } from '@loggia/warehouse';
import type { WarehouseThreadData } from './warehouse-thread.ts';
import type { WriterThreadData } from './writer-thread.ts';

/** Starts the thread that writes the journal's tail. */
export function startWriterThread(data: WriterThreadData): Worker {
  return new Worker(new URL('writer-thread.ts', import.meta.url), { workerData: data });
}

/** Starts the thread that holds the event store. */
export function startWarehouseThread(data: WarehouseThreadData): Worker {
  return new Worker(new URL('warehouse-thread.ts', import.meta.url), {
    workerData: data,
    resourceLimits: STORE_RESOURCE_LIMITS,
  });
}
