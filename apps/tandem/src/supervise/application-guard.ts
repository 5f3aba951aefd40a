import { spawn, type ChildProcess } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { SuperviseLog } from './supervisor.ts';

const PROGRAM = fileURLToPath(new URL('../../bin/guard.js', import.meta.url));
/** The place of a process's start among the fields of `/proc/PID/stat` that follow its name. */
const START_FIELD = 19;

/**
 * A small process beside the daemon that kills the application, and whatever it has started, when
 * the daemon ends without having said that the application has: after SIGKILL nothing else would.
 *
 * The kernel can send a signal at a parent's end, but only to programs that ask for it, and not to
 * their children; Node cannot ask. A process that waits for a pipe to end works for any user, under
 * any profile, and needs no other program than the one that runs already.
 */
export class ApplicationGuard {
  readonly #log: SuperviseLog;
  #process: ChildProcess | undefined;
  #watched: string | undefined;
  #isClosed = false;

  constructor(log: SuperviseLog) {
    this.#log = log;
    this.#begin();
  }

  /** The process that must not outlive this one; undefined when there is none any more. */
  watch(pid: number | undefined): void {
    this.#watched = pid === undefined ? undefined : `watch ${pid} ${startOf(pid)}\n`;
    this.#tell();
  }

  /** Ends the guard. What it watches is left alone. */
  close(): void {
    this.#isClosed = true;
    this.watch(undefined);
    this.#process?.stdin?.end();
  }

  #begin(): void {
    // A session of its own: what a terminal or a killer of groups does to others passes it by.
    const process = spawn(globalThis.process.execPath, [PROGRAM], {
      stdio: ['pipe', 'pipe', 'ignore'],
      detached: true,
      env: {},
    });
    this.#process = process;
    let wasReady = false;
    process.unref();
    process.stdout?.once('data', () => {
      wasReady = true;
    });
    process.stdin?.on('error', () => {});
    process.on('error', (cause) => this.#lost(cause.message, false));
    process.once('close', (code, signal) => this.#lost(signal ?? `exit code ${code}`, wasReady));
    this.#tell();
  }

  #tell(): void {
    this.#process?.stdin?.write(this.#watched ?? 'clear\n');
  }

  #lost(reason: string, isBegunAgain: boolean): void {
    if (this.#isClosed) return;
    const message = isBegunAgain
      ? 'the guard of the application ended; another one begins'
      : 'there is no guard of the application: it would outlive a daemon that is killed';
    this.#log('warn', message, { reason });
    if (isBegunAgain) this.#begin();
  }
}

/** When a process began, as the kernel counts; empty where the kernel does not say. */
function startOf(pid: number): string {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return text.slice(text.lastIndexOf(')') + 2).split(' ')[START_FIELD] ?? '';
  } catch {
    return '';
  }
}
