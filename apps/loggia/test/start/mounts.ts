import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import type { TestContext } from 'vitest';

/**
 * Mounts of a test's own, in a namespace that a waiting shell holds. They go with it, also when the
 * tests are killed.
 */
export class Mounts {
  /** Runs a command among these mounts. */
  readonly under: readonly string[];
  readonly #holder: ChildProcess;

  private constructor(holder: ChildProcess, enter: readonly string[]) {
    this.#holder = holder;
    this.under = ['nsenter', `--target=${holder.pid}`, ...enter, '--'];
  }

  /** Makes the mounts by a shell script. Skips the test where mounts cannot be had at all. */
  static async make(context: TestContext, script: string): Promise<Mounts> {
    const [unshare, enter] = namespaceFlags(context);
    const held = `set -e; ${script}; echo mounted; cat`;
    const holder = spawn('unshare', [...unshare, 'sh', '-c', held], { stdio: 'pipe' });
    const mounts = new Mounts(holder, enter);
    let said = '';
    let complaint = '';
    holder.stderr.setEncoding('utf8').on('data', (chunk: string) => (complaint += chunk));
    holder.stdout.setEncoding('utf8').on('data', (chunk: string) => (said += chunk));
    await Promise.race([once(holder.stdout, 'data'), once(holder, 'close')]);
    if (!said.includes('mounted')) throw new Error(`Cannot mount: ${complaint}`);
    return mounts;
  }

  /** Where a process outside finds `path`. */
  outside(path: string): string {
    return `/proc/${this.#holder.pid}/root${path}`;
  }

  [Symbol.dispose](): void {
    this.#holder.kill('SIGKILL');
  }
}

/** How this user gets a mount namespace, and how to enter it. */
function namespaceFlags(context: TestContext): readonly [readonly string[], readonly string[]] {
  if (canMount(['--mount'])) return [['--mount'], ['--mount']];
  const flags = ['--map-root-user', '--mount'];
  if (canMount(flags)) return [flags, ['--user', '--preserve-credentials', '--mount']];
  return context.skip('needs mount: this user may not make a mount namespace');
}

function canMount(flags: readonly string[]): boolean {
  const command = [...flags, 'mount', '-t', 'tmpfs', 'tmpfs', '/mnt'];
  return spawnSync('unshare', command, { stdio: 'ignore', timeout: 20_000 }).status === 0;
}
