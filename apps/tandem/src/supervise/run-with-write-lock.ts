import { ChildCommand } from './child-command.ts';
import { EXIT_CODES, exitCodeOf, type ProcessEnd } from './exit-code.ts';
import { isEndingSignal, listenToSignals, type SignalSource } from './signal-source.ts';
import { SuperviseError } from './supervise-error.ts';
import { untilAborted } from './until-aborted.ts';

/** The right to write on this node, which it has while it is primary. */
export interface WriteRight {
  /**
   * Resolves when this node is primary. Rejects when it does not become it, as soon as that is
   * certain: with SuperviseError `write_right_static` or `write_right_refused` when waiting longer
   * would change nothing.
   */
  acquire(signal: AbortSignal): Promise<void>;
  /** Hands the lease back to whoever had it before `acquire`; nothing when this node had it already. */
  release(): Promise<void>;
}

export interface WriteLockOptions {
  readonly right: WriteRight;
  /** Program and arguments; at least one word. */
  readonly words: readonly string[];
  /** How long to wait for the right. */
  readonly acquireTimeoutMs: number;
  /** Whether the right is handed back after the command. */
  readonly isReturned: boolean;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly graceMs: number;
  readonly signals: SignalSource;
  readonly hasTerminal: boolean;
  /** Told when the right could not be handed back, which changes nothing for the command. */
  readonly onReleaseError: (error: unknown) => void;
}

/**
 * Gets the right to write, runs a command under it, and hands the right back if that is wanted,
 * however the command ended.
 *
 * @returns the exit code: the command's own, or 128 and the signal's number
 * @throws SuperviseError with the exit code to end with: `write_right_timeout` (75) when the right
 * could not be had in time, `write_right_static` and `write_right_refused` (69) when it cannot be
 * had; the command has not run then. `command_missing` (127) and its like when it cannot be started.
 */
export async function runWithWriteLock(options: WriteLockOptions): Promise<number> {
  const { right, isReturned, onReleaseError, signals } = options;
  const ending = new AbortController();
  let endingSignal: NodeJS.Signals | undefined;
  let child: ChildCommand | undefined;
  const unlisten = listenToSignals(signals, (signal) => {
    child?.pass(signal);
    if (!isEndingSignal(signal)) return;
    endingSignal ??= signal;
    ending.abort();
  });
  try {
    const isAcquired = await acquire(options, ending.signal);
    if (!isAcquired) return exitCodeOf({ code: null, signal: endingSignal ?? 'SIGTERM' });
    try {
      // A signal may have come with the right.
      if (endingSignal !== undefined) return exitCodeOf({ code: null, signal: endingSignal });
      child = new ChildCommand(options);
      const end: ProcessEnd = await child.ended;
      return exitCodeOf(end);
    } finally {
      if (isReturned) await right.release().catch(onReleaseError);
    }
  } finally {
    unlisten();
  }
}

/** False when a signal ended the wait. */
async function acquire(
  { right, acquireTimeoutMs }: WriteLockOptions,
  ending: AbortSignal,
): Promise<boolean> {
  const limit = AbortSignal.timeout(acquireTimeoutMs);
  const signal = AbortSignal.any([limit, ending]);
  const acquired = right.acquire(signal).then(() => 'acquired' as const);
  // After the time is over, nobody looks at what becomes of it.
  acquired.catch(() => {});
  try {
    const outcome = await Promise.race([acquired, untilAborted(signal)]);
    if (outcome === 'acquired') return true;
  } catch (error) {
    if (ending.aborted) return false;
    if (!limit.aborted) throw asRefusal(error);
  }
  if (ending.aborted) return false;
  throw new SuperviseError(
    'write_right_timeout',
    `This node did not become primary within ${acquireTimeoutMs} ms; the command was not run.`,
    {
      exitCode: EXIT_CODES.temporary,
      retryable: true,
      hint: "See 'tandem status' for the primary and how far this node is behind, then repeat it.",
    },
  );
}

function asRefusal(error: unknown): SuperviseError {
  if (error instanceof SuperviseError) return error;
  const details = Object(error) as { readonly retryable?: unknown; readonly hint?: unknown };
  const message = error instanceof Error ? error.message : String(error);
  const { hint } = details;
  const isTemporary = details.retryable === true;
  return new SuperviseError(
    isTemporary ? 'write_right_timeout' : 'write_right_refused',
    `${message} The command was not run.`,
    {
      cause: error,
      exitCode: isTemporary ? EXIT_CODES.temporary : EXIT_CODES.unavailable,
      ...(typeof hint === 'string' ? { hint } : {}),
    },
  );
}
