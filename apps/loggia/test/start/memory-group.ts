import { existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'vitest';
import { afterScript } from './surroundings.ts';

const MOUNT = '/sys/fs/cgroup';

/** A control group of version 2 or 1 with a limit of memory. */
export class MemoryGroup {
  /** Runs a command in the group. */
  readonly under: readonly string[];
  readonly #folder: string;

  private constructor(folder: string) {
    this.#folder = folder;
    this.under = afterScript(`echo $$ > ${join(folder, 'cgroup.procs')}`);
  }

  /** Makes a group. Skips the test where this user may make none. */
  static make(context: TestContext, limitBytes: number): MemoryGroup {
    const isVersion2 = existsSync(join(MOUNT, 'cgroup.controllers'));
    const folder = join(isVersion2 ? MOUNT : ownFolderOfVersion1(), `loggia-test-${process.pid}`);
    try {
      mkdirSync(folder);
      const limit = join(folder, isVersion2 ? 'memory.max' : 'memory.limit_in_bytes');
      writeFileSync(limit, String(limitBytes));
    } catch (error) {
      if (existsSync(folder)) rmdirSync(folder);
      return context.skip(`needs memory-cgroup: ${String(error)}`);
    }
    return new MemoryGroup(folder);
  }

  /** How often the kernel has killed something in the group for want of memory. */
  killCount(): number {
    const name = ['memory.events', 'memory.oom_control'].find((file) =>
      existsSync(join(this.#folder, file)),
    );
    const text = readFileSync(join(this.#folder, name ?? ''), 'utf8');
    return Number(/^oom_kill (\d+)$/m.exec(text)?.[1]);
  }

  /** The group must be empty. */
  [Symbol.dispose](): void {
    rmdirSync(this.#folder);
  }
}

/** Below the group that this process is in, so that its own limits hold too. */
function ownFolderOfVersion1(): string {
  const own = /^\d+:(?:[^:]*,)?memory(?:,[^:]*)?:(.*)$/m.exec(
    readFileSync('/proc/self/cgroup', 'utf8'),
  )?.[1];
  const nested = join(MOUNT, 'memory', own ?? '/');
  return existsSync(nested) ? nested : join(MOUNT, 'memory');
}
