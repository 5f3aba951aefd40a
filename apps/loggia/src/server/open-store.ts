import { availableParallelism, totalmem } from 'node:os';
import { join } from 'node:path';
import { RemoteStore, duckdbLimits, readCgroup, type EngineLimits } from '@loggia/warehouse';
import type { Logger } from 'pino';
import type { ConfigurationValues } from '../config/configuration.ts';
import { startWarehouseThread } from '../threads/threads.ts';

const RESTART_DELAY_MS = 1000;

/**
 * Starts the event store in a thread of its own; it loads in the background. Each store has a folder
 * for the archive's files to itself, since it deletes those that it does not need.
 */
export function openStore(
  configuration: ConfigurationValues,
  logger: Logger,
  cacheFolder = join(configuration.dataDir, 'cache'),
): RemoteStore {
  const limits = engineLimits(configuration);
  logger.info({ memory_bytes: limits.memoryBytes, threads: limits.threads }, 'Limits of DuckDB.');
  const store: RemoteStore = new RemoteStore({
    spawn: () =>
      startWarehouseThread({
        folder: configuration.dataDir,
        cacheFolder,
        limits,
        queriesRunningMax: configuration.queriesConcurrentMax,
      }),
    onCrash: (error) => {
      logger.error({ err: error }, 'The event store ended; building it again from the journal.');
      setTimeout(() => store.restart(), RESTART_DELAY_MS).unref();
    },
  });
  return store;
}

/** DuckDB's memory and threads: as configured, else as the container or the machine allows. */
export function engineLimits(configuration: ConfigurationValues): EngineLimits {
  const { duckdbMemoryBytes, duckdbThreads } = configuration;
  return duckdbLimits({
    cgroup: readCgroup(),
    totalMemoryBytes: totalmem(),
    cpus: availableParallelism(),
    configured: {
      ...(duckdbMemoryBytes === null ? {} : { memoryBytes: duckdbMemoryBytes }),
      ...(duckdbThreads === null ? {} : { threads: duckdbThreads }),
    },
  });
}
