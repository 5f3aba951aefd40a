import { readFileSync, readdirSync } from 'node:fs';

/** Processor time since the process began, in steps of 10 ms. */
export interface CpuTimes {
  readonly processMs: number;
  readonly mainThreadMs: number;
  /** Of the thread that the process calls so; NaN when it has none. */
  readonly writerMs: number;
}

const WRITER_NAME = 'writer';

/** Memory as Linux counts it. */
export interface MemoryUse {
  /** Everything resident, files that are mapped included. */
  readonly rssBytes: number;
  /** Of that, what no file backs: heaps and stacks. */
  readonly anonymousBytes: number;
  /** Everything resident, pages that n processes share counted as one nth. */
  readonly proportionalBytes: number;
}

/** Linux tells times to programs in hundredths of a second on every architecture. */
const TICK_MS = 10;
/** Places after the program's name, which is in parentheses and may hold blanks. */
const USER_TICKS = 11;
const SYSTEM_TICKS = 12;

/** Undefined where there is no `/proc`. */
export function readCpuTimes(pid: number): CpuTimes | undefined {
  const processStat = tryRead(`/proc/${pid}/stat`);
  const threadStat = tryRead(`/proc/${pid}/task/${pid}/stat`);
  if (processStat === undefined || threadStat === undefined) return undefined;
  return {
    processMs: cpuMsOf(processStat),
    mainThreadMs: cpuMsOf(threadStat),
    writerMs: threadMsOf(pid, WRITER_NAME),
  };
}

function threadMsOf(pid: number, name: string): number {
  for (const thread of readdirSync(`/proc/${pid}/task`)) {
    const stat = tryRead(`/proc/${pid}/task/${thread}/stat`);
    if (stat?.includes(`(${name})`) === true) return cpuMsOf(stat);
  }
  return Number.NaN;
}

/** Undefined where there is no `/proc`. */
export function readMemory(pid: number): MemoryUse | undefined {
  const status = tryRead(`/proc/${pid}/status`);
  const rollup = tryRead(`/proc/${pid}/smaps_rollup`);
  if (status === undefined || rollup === undefined) return undefined;
  return {
    rssBytes: bytesAfter(status, 'VmRSS:'),
    anonymousBytes: bytesAfter(status, 'RssAnon:'),
    proportionalBytes: bytesAfter(rollup, 'Pss:'),
  };
}

function cpuMsOf(stat: string): number {
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[USER_TICKS]) + Number(fields[SYSTEM_TICKS])) * TICK_MS;
}

function bytesAfter(text: string, name: string): number {
  const line = text.split('\n').find((each) => each.startsWith(name)) ?? '';
  return Number(/\d+/.exec(line)?.[0] ?? Number.NaN) * 1024;
}

function tryRead(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}
