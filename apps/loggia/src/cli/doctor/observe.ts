import { existsSync, readFileSync, statSync, statfsSync } from 'node:fs';
import { availableParallelism, totalmem } from 'node:os';
import { dirname, join } from 'node:path';
import { ZoneRules, isTimeZone } from '@tandem/base';
import { Journal, JournalError } from '@loggia/journal';
import { tryDataFolder } from '../../config/data-folder.ts';
import type { MachineFacts } from './machine-checks.ts';
import type { StorageFacts } from './storage-checks.ts';

/** Above this, a limit that the system reports means that there is none. */
const MEMORY_LIMIT_BYTES_MAX = 2 ** 50;
const JOURNAL_FILE = 'journal.db';

/** Asks the machine and the runtime. */
export function observeMachine(dataFolder: string, nowMs: number): MachineFacts {
  const limitBytes = process.constrainedMemory();
  const isLimited = limitBytes > 0 && limitBytes < MEMORY_LIMIT_BYTES_MAX;
  return {
    nodeVersion: process.versions.node,
    nowMs,
    writtenMs: attempt(() => Math.floor(statSync(join(dataFolder, JOURNAL_FILE)).mtimeMs)),
    memoryTotalBytes: totalmem(),
    memoryLimitBytes: isLimited ? limitBytes : null,
    cpuCount: availableParallelism(),
    cpuMax: attempt(() => readFileSync('/sys/fs/cgroup/cpu.max', 'utf8')),
    timeZoneCount: Intl.supportedValuesOf('timeZone').length,
    berlinOffsetMs: isTimeZone('Europe/Berlin')
      ? ZoneRules.of('Europe/Berlin').offsetMs(Date.UTC(2026, 6, 1))
      : 0,
    timeZoneVersion: process.versions['tz'] ?? 'unknown',
  };
}

/** Asks the file system about the data folder. Writes nothing that stays, and makes no folder. */
export function observeStorage(folder: string): StorageFacts {
  const exists = existsSync(folder);
  const place = nearestFolder(folder);
  const space = attempt(() => statfsSync(place));
  return {
    folder,
    exists,
    fault: faultOf(folder),
    fileSystemType: space === null ? null : space.type >>> 0,
    freeBytes: space === null ? null : space.bavail * space.bsize,
    journal: journalOf(folder),
  };
}

function nearestFolder(folder: string): string {
  let current = folder;
  while (!existsSync(current) && current !== dirname(current)) current = dirname(current);
  return current;
}

function faultOf(folder: string): StorageFacts['fault'] {
  const error = tryDataFolder(folder);
  if (error === undefined) return null;
  return { message: error.message, hint: error.hint ?? 'Choose another folder.' };
}

function journalOf(folder: string): StorageFacts['journal'] {
  const path = join(folder, JOURNAL_FILE);
  if (!existsSync(path)) return null;
  try {
    using journal = Journal.open({ folder, readOnly: true });
    return { siteCount: journal.sites.list().length, bytes: statSync(path).size };
  } catch (error) {
    if (!(error instanceof JournalError)) throw error;
    return { code: error.code, message: error.message, hint: error.hint ?? null };
  }
}

function attempt<Result>(read: () => Result): Result | null {
  try {
    return read();
  } catch {
    return null;
  }
}
