import { mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';

const NAME = /^command-(\d+)$/;

/**
 * A folder for the archive's files of one command, within the cache of the data folder: the server's
 * own would lose files that the command still reads, and the other way round.
 */
export class OwnCache implements Disposable {
  readonly folder: string;

  /** Removes what commands that were killed have left, too. */
  constructor(dataDir: string) {
    const cache = join(dataDir, 'cache');
    mkdirSync(cache, { recursive: true });
    for (const name of readdirSync(cache)) {
      const [, pid] = NAME.exec(name) ?? [];
      if (pid !== undefined && !isRunning(Number(pid)))
        rmSync(join(cache, name), { recursive: true, force: true });
    }
    this.folder = join(cache, `command-${process.pid}`);
    mkdirSync(this.folder, { recursive: true });
  }

  [Symbol.dispose](): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // EPERM: it runs, as somebody else.
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}
