import { spawn, type ChildProcess } from 'node:child_process';
import { delimiter, join } from 'node:path';

const KILL_DELAY_MS = 5000;

export interface CommandOptions {
  /** Where to run it; also where `node_modules/.bin` is. */
  readonly root: string;
  /** Variables beside those of this process. */
  readonly environment?: Readonly<Record<string, string>>;
  /** After this long it is killed and counts as failed. */
  readonly limitMs: number;
  /** When aborted, the command and all its children are ended. */
  readonly signal: AbortSignal;
  /** What becomes of its output; by default it appears among ours. */
  readonly output?: 'inherit' | 'ignore';
}

/** How a command ended. `problem` says in words what is not seen from the exit code. */
export interface CommandEnd {
  readonly exitCode: number;
  readonly problem?: string;
}

/**
 * Runs a program of `node_modules/.bin`, with no input. It gets a process group of its own:
 * test runners start processes which start processes, and none of them may be left over.
 */
export async function runCommand(
  command: readonly [string, ...string[]],
  options: CommandOptions,
): Promise<CommandEnd> {
  const { root, environment, limitMs, signal, output = 'inherit' } = options;
  if (signal.aborted) return { exitCode: 1, problem: 'interrupted' };
  const bin = join(root, 'node_modules', '.bin');
  const [program, ...parameters] = command;
  const child = spawn(program, parameters, {
    cwd: root,
    detached: true,
    stdio: ['ignore', output, output],
    env: { ...process.env, ...environment, PATH: `${bin}${delimiter}${process.env.PATH ?? ''}` },
  });
  let problem: string | undefined;
  const stop = (reason: string): void => {
    problem ??= reason;
    endGroup(child);
  };
  const interrupt = (): void => stop('interrupted');
  signal.addEventListener('abort', interrupt, { once: true });
  const limit = setTimeout(() => stop(`took longer than ${limitMs / 60_000} minutes`), limitMs);
  const end = await ended(child);
  clearTimeout(limit);
  signal.removeEventListener('abort', interrupt);
  killGroup(child, 'SIGKILL');
  return problem === undefined ? end : { exitCode: end.exitCode === 0 ? 1 : end.exitCode, problem };
}

function ended(child: ChildProcess): Promise<CommandEnd> {
  return new Promise((resolve) => {
    child.once('error', (error) => resolve({ exitCode: 1, problem: error.message }));
    child.once('exit', (code, signal) => {
      if (code !== null) resolve({ exitCode: code });
      else resolve({ exitCode: 1, problem: `ended by ${signal ?? 'a signal'}` });
    });
  });
}

function endGroup(child: ChildProcess): void {
  killGroup(child, 'SIGTERM');
  setTimeout(() => killGroup(child, 'SIGKILL'), KILL_DELAY_MS).unref();
}

function killGroup(child: ChildProcess, signal: NodeJS.Signals): void {
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, signal);
  } catch {
    // ESRCH: nothing of the group is left.
  }
}
