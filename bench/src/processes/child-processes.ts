import { spawn, type ChildProcessByStdio } from 'node:child_process';
import type { Readable } from 'node:stream';

/** A child whose output is read. */
export type Child = ChildProcessByStdio<null, Readable, Readable>;

/** The processes that the workloads have started, so that none is left when this one ends. */
export class ChildProcesses {
  readonly #running = new Set<Child>();

  /** Starts this process's own Node.js with `args`. */
  startNode(args: readonly string[], env: Readonly<Record<string, string>> = {}): Child {
    return this.start(process.execPath, args, env);
  }

  /** Starts a program of the machine. One that is not there ends at once, with an exit code. */
  start(
    program: string,
    args: readonly string[],
    env: Readonly<Record<string, string>> = {},
  ): Child {
    const child = spawn(program, args, {
      env: { PATH: process.env['PATH'], ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.#running.add(child);
    child.once('exit', () => this.#running.delete(child));
    return child;
  }

  /** Kills what still runs. Works while this process exits. */
  killAll(): void {
    for (const child of this.#running) child.kill('SIGKILL');
  }
}

/** Asks `child` to stop, and makes it after `timeoutMs`; resolves when it has ended. */
export async function endChild(child: Child, timeoutMs: number): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const { promise, resolve } = Promise.withResolvers<void>();
  child.once('exit', () => resolve());
  const timer = setTimeout(() => child.kill('SIGKILL'), timeoutMs);
  child.kill('SIGTERM');
  await promise;
  clearTimeout(timer);
}
