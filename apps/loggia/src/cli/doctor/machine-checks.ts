import { failure, ok, warning, type Check } from './check.ts';

/** What the machine says about itself. Byte counts and times are whole numbers. */
export interface MachineFacts {
  readonly nodeVersion: string;
  readonly nowMs: number;
  /** When a file of the data folder was last written, or null without one. */
  readonly writtenMs: number | null;
  readonly memoryTotalBytes: number;
  /** The limit of the container, or null without one. */
  readonly memoryLimitBytes: number | null;
  readonly cpuCount: number;
  /** The first line of the cgroup's `cpu.max`, or null without one. */
  readonly cpuMax: string | null;
  readonly timeZoneCount: number;
  /** The offset of Europe/Berlin on 1 July 2026, which shows whether rules are there. */
  readonly berlinOffsetMs: number;
  readonly timeZoneVersion: string;
}

const NODE_MAJOR_MIN = 24;
const MEMORY_BYTES_MIN = 256 * 2 ** 20;
/** No clock that is right has shown an earlier time to this program. */
const CLOCK_MS_MIN = Date.UTC(2026, 0, 1);
const CLOCK_MS_MAX = Date.UTC(2100, 0, 1);
const CLOCK_BACK_MS_MAX = 3_600_000;
const TIME_ZONES_MIN = 300;

/** Looks at Node, memory, processors, clock and time zones. */
export function machineChecks(facts: MachineFacts): readonly Check[] {
  return [nodeCheck(facts), memoryCheck(facts), cpuCheck(facts), clockCheck(facts), zones(facts)];
}

function nodeCheck({ nodeVersion }: MachineFacts): Check {
  const major = Number(nodeVersion.split('.')[0]);
  if (major >= NODE_MAJOR_MIN) return ok('node', `Node.js ${nodeVersion}.`);
  return failure(
    'node',
    `Node.js ${nodeVersion} is too old.`,
    `Install ${NODE_MAJOR_MIN} or newer.`,
  );
}

function memoryCheck({ memoryTotalBytes, memoryLimitBytes }: MachineFacts): Check {
  const isLimited = memoryLimitBytes !== null && memoryLimitBytes < memoryTotalBytes;
  const bytes = isLimited ? memoryLimitBytes : memoryTotalBytes;
  const message = `${mebibytes(bytes)} of memory${isLimited ? ', limited by the container' : ''}.`;
  if (bytes >= MEMORY_BYTES_MIN) return ok('memory', message);
  return warning(
    'memory',
    message,
    `Reports may fail below ${mebibytes(MEMORY_BYTES_MIN)}; raise the limit.`,
  );
}

function cpuCheck({ cpuCount, cpuMax }: MachineFacts): Check {
  const quota = cpuQuota(cpuMax);
  const limit = quota === null ? '' : `, limited to ${quota} by the container`;
  return ok('cpu', `${cpuCount} processors${limit}.`);
}

/** Processors that a cgroup's `QUOTA PERIOD` allows, or null without a quota. */
export function cpuQuota(cpuMax: string | null): number | null {
  const match = /^(\d+) (\d+)$/.exec(cpuMax?.trim() ?? '');
  if (match === null || Number(match[2]) === 0) return null;
  return Math.round((Number(match[1]) / Number(match[2])) * 100) / 100;
}

function clockCheck({ nowMs, writtenMs }: MachineFacts): Check {
  const now = new Date(nowMs).toISOString();
  if (nowMs < CLOCK_MS_MIN || nowMs > CLOCK_MS_MAX) {
    return failure(
      'clock',
      `The clock shows ${now}.`,
      'Set the clock; events would get this time.',
    );
  }
  if (writtenMs !== null && writtenMs - nowMs > CLOCK_BACK_MS_MAX) {
    const written = new Date(writtenMs).toISOString();
    return warning(
      'clock',
      `The clock shows ${now}, but the data was last written at ${written}.`,
      'Set the clock, unless it was ahead before.',
    );
  }
  return ok('clock', `The clock shows ${now}.`);
}

function zones(facts: MachineFacts): Check {
  const { timeZoneCount, berlinOffsetMs, timeZoneVersion } = facts;
  if (timeZoneCount >= TIME_ZONES_MIN && berlinOffsetMs === 7_200_000) {
    return ok('time_zones', `${timeZoneCount} time zones, release ${timeZoneVersion}.`);
  }
  return failure(
    'time_zones',
    'The rules of time zones are missing.',
    'Use a Node.js with full ICU data, and no NODE_ICU_DATA that points elsewhere.',
  );
}

function mebibytes(bytes: number): string {
  return `${Math.round(bytes / 2 ** 20)} MiB`;
}
