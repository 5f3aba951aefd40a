import type { EngineLimits } from './engine.ts';

/** What the kernel allows this process; undefined where it sets no limit. */
export interface CgroupLimits {
  readonly memoryBytes: number | undefined;
  /** May be a fraction. */
  readonly cpus: number | undefined;
}

export interface MachineFacts {
  readonly cgroup: CgroupLimits;
  /** Of the host. */
  readonly totalMemoryBytes: number;
  readonly cpus: number;
  /** What the operator asked for; it goes before everything computed. */
  readonly configured?: { readonly memoryBytes?: number; readonly threads?: number };
}

const MIB = 1024 * 1024;

/** Node's heap and code, SQLite's cache and what DuckDB takes outside its own limit. */
const REST_OF_PROCESS_BYTES = 256 * MIB;
const ENGINE_MEMORY_BYTES_MIN = 64 * MIB;

/** Of a limit that is ours alone, after the rest of the process; the remainder is for peaks. */
const SHARE_OF_CGROUP = 0.8;
/** Of a machine that others use as well. */
const SHARE_OF_HOST = 0.5;

/**
 * Memory and threads for DuckDB, which knows nothing of cgroups' memory limits in time: without
 * this, the kernel would kill the process where a query should fail.
 */
export function duckdbLimits(facts: MachineFacts): EngineLimits {
  return {
    memoryBytes: facts.configured?.memoryBytes ?? memoryFor(facts),
    threads: facts.configured?.threads ?? threadsFor(facts),
  };
}

function memoryFor({ cgroup, totalMemoryBytes }: MachineFacts): number {
  const host = totalMemoryBytes * SHARE_OF_HOST;
  const limit = cgroup.memoryBytes ?? Number.POSITIVE_INFINITY;
  const own = limit < totalMemoryBytes ? (limit - REST_OF_PROCESS_BYTES) * SHARE_OF_CGROUP : host;
  return Math.floor(Math.max(ENGINE_MEMORY_BYTES_MIN, own));
}

function threadsFor({ cgroup, cpus }: MachineFacts): number {
  // Rounded down: a thread more than the quota allows is a throttled process, ingest included.
  return Math.max(1, Math.floor(Math.min(cpus, cgroup.cpus ?? cpus)));
}
