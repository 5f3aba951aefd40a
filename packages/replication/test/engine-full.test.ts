import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const CHILD = fileURLToPath(new URL('./engine-full-child.ts', import.meta.url));
const MOUNTED = 'mount -t tmpfs -o size=24m tmpfs "$1" && shift && exec "$@"';

test.for(['primary', 'replica'])(
  'R6, R10: a %s whose disk is full says so, loses nothing, and goes on when there is room',
  (who, context) => {
    const folder = mkdtempSync(join(tmpdir(), 'tandem-full-'));
    const [small, large] = [join(folder, 'small'), join(folder, 'large')];
    for (const each of [small, large]) mkdirSync(each);
    const run = (...command: string[]) =>
      spawnSync('unshare', ['--mount', 'sh', '-c', MOUNTED, 'sh', small, ...command], {
        encoding: 'utf8',
        timeout: 100_000,
      });
    try {
      if (run('true').status !== 0) context.skip('needs mount: a small file system of its own');
      const child = run(process.execPath, CHILD, small, large, who);
      expect(child.stderr).toBe('');
      expect(Number(/failures (\d+)/.exec(child.stdout)?.[1])).toBeGreaterThan(8);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  },
);
