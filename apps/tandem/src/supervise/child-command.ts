import { spawn, type ChildProcess } from 'node:child_process';
import { EXIT_CODES, type ProcessEnd } from './exit-code.ts';
import { isEndingSignal, isTerminalSignal } from './signal-source.ts';
import { SuperviseError } from './supervise-error.ts';

export interface ChildCommandOptions {
  /** Program and arguments; at least one word. */
  readonly words: readonly string[];
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly folder?: string;
  /** After a signal that asks to end, the command is killed when it has not ended for so long. */
  readonly graceMs: number;
  /** Whether the command shares a terminal with this process. */
  readonly hasTerminal: boolean;
}

/**
 * A command that runs. It has this process's standard input, output and error, untouched.
 *
 * Without a terminal it leads a process group of its own, so that what it started and left behind
 * can be killed with it when it does not end in time. With one it stays in the terminal's group:
 * Ctrl-C then reaches it from the terminal, and is not passed on a second time, since many programs
 * take a second one for 'end at once'.
 *
 * As process 1 of a container, Node never collects the exit of processes that it did not start
 * itself: libuv waits for the pids it knows, one by one, and Node offers no waitpid(-1). A
 * grandchild whose parent ended before it becomes a zombie at its own end, and stays in the table
 * of processes until the container ends. One costs nothing else; a command that keeps leaving
 * some behind needs an init before the daemon (`docker run --init`, `tini`, or a pod with
 * `shareProcessNamespace`).
 */
export class ChildCommand {
  readonly #child: ChildProcess;
  readonly #options: ChildCommandOptions;
  /** How it ended. Rejects with SuperviseError when it could not be started. */
  readonly ended: Promise<ProcessEnd>;
  #isRunning = true;
  /** Signals that ask to end and have reached it. */
  readonly #endingSignals = new Set<NodeJS.Signals>();
  #killTimer: NodeJS.Timeout | undefined;

  constructor(options: ChildCommandOptions) {
    const [program = '', ...parameters] = options.words;
    this.#options = options;
    const { promise, resolve, reject } = Promise.withResolvers<ProcessEnd>();
    this.#child = spawn(program, parameters, {
      stdio: 'inherit',
      env: options.environment,
      detached: !options.hasTerminal,
      ...(options.folder === undefined ? {} : { cwd: options.folder }),
    });
    this.#child.once('exit', (code, signal) => {
      this.#over();
      resolve({ code, signal });
    });
    this.#child.on('error', (cause) => {
      // One that runs could not be signalled, as when it has become another user's; it runs on.
      if (this.#child.pid !== undefined) return;
      this.#over();
      reject(startFailure(program, cause));
    });
    this.ended = promise;
    // The caller may look at the end only later.
    promise.catch(() => {});
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  /**
   * Passes on a signal that this process got. One that asks to end starts the time of grace. The same
   * one again is not passed on and does not change that time; another one is passed on.
   */
  pass(signal: NodeJS.Signals): void {
    const cameFromTerminal = this.#options.hasTerminal && isTerminalSignal(signal);
    if (cameFromTerminal) this.#noteEnding(signal);
    else this.send(signal);
  }

  /** Sends a signal that no terminal has sent; else the same as `pass`. */
  send(signal: NodeJS.Signals): void {
    if (!this.#isRunning || this.#endingSignals.has(signal)) return;
    this.#noteEnding(signal);
    this.#child.kill(signal);
  }

  /** Kills the command and, if it has a group of its own, all in it. At once, also while exiting. */
  kill(): void {
    const { pid } = this.#child;
    if (!this.#isRunning || pid === undefined) return;
    this.#child.kill('SIGKILL');
    if (this.#options.hasTerminal) return;
    try {
      process.kill(-pid, 'SIGKILL');
    } catch {
      // Nobody else was in its group.
    }
  }

  #noteEnding(signal: NodeJS.Signals): void {
    if (!this.#isRunning || !isEndingSignal(signal)) return;
    this.#endingSignals.add(signal);
    this.#killTimer ??= setTimeout(() => this.kill(), this.#options.graceMs);
  }

  #over(): void {
    this.#isRunning = false;
    clearTimeout(this.#killTimer);
  }
}

function startFailure(program: string, cause: Error): SuperviseError {
  const code = 'code' in cause ? cause.code : undefined;
  if (code === 'ENOENT') {
    return new SuperviseError('command_missing', `There is no program '${program}'.`, {
      cause,
      exitCode: EXIT_CODES.notFound,
      hint: 'Give its path as it is in this container, or check PATH and the working folder.',
    });
  }
  if (code === 'EACCES') {
    return new SuperviseError('command_forbidden', `This user may not run '${program}'.`, {
      cause,
      exitCode: EXIT_CODES.cannotRun,
      hint: 'Make it executable for this user (chmod +x), and check that its folder may be entered.',
    });
  }
  return new SuperviseError(
    'command_not_started',
    `'${program}' cannot be run: ${cause.message}.`,
    {
      cause,
      exitCode: EXIT_CODES.cannotRun,
      hint: 'The kernel refused it; a script needs a first line such as #!/bin/sh.',
    },
  );
}
