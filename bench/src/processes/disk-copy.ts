import { execFileSync } from 'node:child_process';
import { rmSync, statSync } from 'node:fs';

/** MB/s at which `cp` and `sync` bring a copy of a file to the disk. */
export function diskCopySpeed(path: string, targetPath: string): number {
  const startMs = performance.now();
  execFileSync('cp', ['--sparse=never', '--reflink=never', path, targetPath]);
  execFileSync('sync', ['-d', targetPath]);
  const seconds = (performance.now() - startMs) / 1000;
  const { size } = statSync(targetPath);
  rmSync(targetPath);
  return size / 1e6 / seconds;
}
