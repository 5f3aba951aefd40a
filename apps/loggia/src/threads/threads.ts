import { Worker } from 'node:worker_threads';
import { STORE_RESOURCE_LIMITS } from '@loggia/warehouse';
import type { ArchiveThreadData } from './archive-thread.ts';
import type { BackupThreadData } from './backup-thread.ts';
import type { WarehouseThreadData } from './warehouse-thread.ts';
import type { WriterThreadData } from './writer-thread.ts';

/**
 * Hits live until their commit. Without a bound, the heap for such values grows to 100 MB, which
 * makes collections rarer but not cheaper.
 */
const WRITER_RESOURCE_LIMITS = { maxYoungGenerationSizeMb: 24 } as const;

/** Starts the thread that writes the journal's tail. */
export function startWriterThread(data: WriterThreadData): Worker {
  return new Worker(new URL('writer-thread.ts', import.meta.url), {
    name: 'writer',
    workerData: data,
    resourceLimits: WRITER_RESOURCE_LIMITS,
  });
}

/** Starts the thread that does what there is to do to the archive, and ends. */
export function startArchiveThread(data: ArchiveThreadData): Worker {
  return new Worker(new URL('archive-thread.ts', import.meta.url), {
    workerData: data,
    resourceLimits: WRITER_RESOURCE_LIMITS,
  });
}

/** Starts the thread that holds the event store. */
export function startWarehouseThread(data: WarehouseThreadData): Worker {
  return new Worker(new URL('warehouse-thread.ts', import.meta.url), {
    name: 'warehouse',
    workerData: data,
    resourceLimits: STORE_RESOURCE_LIMITS,
  });
}

/** Starts the thread that writes a backup and ends with it. */
export function startBackupThread(data: BackupThreadData): Worker {
  return new Worker(new URL('backup-thread.ts', import.meta.url), { workerData: data });
}
