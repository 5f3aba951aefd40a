import { constants } from 'node:os';

/** Exit codes that are not a command's own. Those of sysexits.h and of shells keep their meaning. */
export const EXIT_CODES = {
  /** The right to write cannot be had on this node at all (EX_UNAVAILABLE). */
  unavailable: 69,
  /** The right to write could not be had in time; later it may (EX_TEMPFAIL). */
  temporary: 75,
  /** The program exists and cannot be run. */
  cannotRun: 126,
  /** The program does not exist. */
  notFound: 127,
} as const;

const SIGNAL_BASE = 128;

/** How a child process ended. */
export interface ProcessEnd {
  /** Its exit code; null when a signal ended it. */
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** The exit code that stands for an end, as shells have it: 128 and the signal's number. */
export function exitCodeOf({ code, signal }: ProcessEnd): number {
  if (signal !== null) return SIGNAL_BASE + (constants.signals[signal] ?? 0);
  return code ?? SIGNAL_BASE;
}

/** An end in words: `exit code 3`, `signal SIGKILL`. */
export function describeEnd({ code, signal }: ProcessEnd): string {
  return signal === null ? `exit code ${code}` : `signal ${signal}`;
}
