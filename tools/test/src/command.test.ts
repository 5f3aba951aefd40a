import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { runCommand } from './command.ts';

let root = '';
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'command-'));
  mkdirSync(join(root, 'node_modules', '.bin'), { recursive: true });
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

/** Puts a program into the folder that commands are looked for in. */
function install(name: string, script: string): void {
  writeFileSync(join(root, 'node_modules', '.bin', name), `#!/bin/sh\n${script}\n`, {
    mode: 0o755,
  });
}

/** A program that writes the id of its child, which would outlive it, and waits for it. */
const PARENT = 'sleep 600 & echo $! > child.tmp; mv child.tmp child; wait';

/** Waits, by looking, for the child's id; the test's own time limit ends a wait in vain. */
async function childId(): Promise<number> {
  const file = join(root, 'child');
  while (!existsSync(file)) await new Promise((resolve) => setImmediate(resolve));
  return Number(readFileSync(file, 'utf8'));
}

/** Whether a process of that id is there and no zombie, which nobody may have collected yet. */
function isRunning(id: number): boolean {
  try {
    process.kill(id, 0);
    return !/^\d+ \(.*\) Z/.test(readFileSync(`/proc/${id}/stat`, 'utf8'));
  } catch {
    return false;
  }
}

describe('runCommand', () => {
  const signal = new AbortController().signal;
  const limitMs = 60_000;

  it('tells how the program ended', async () => {
    install('good', 'test "$GREETING" = hello && test "$(pwd -P)" = "$(cd -P . && pwd)"');
    install('bad', 'exit 3');
    install('killed', 'kill -9 $$');
    const environment = { GREETING: 'hello' };
    const run = (name: string) =>
      runCommand([name], { root, environment, limitMs, signal, output: 'ignore' });
    expect(await run('good')).toEqual({ exitCode: 0 });
    expect(await run('bad')).toEqual({ exitCode: 3 });
    expect(await run('killed')).toEqual({ exitCode: 1, problem: 'ended by SIGKILL' });
    expect((await run('no-such-program')).problem).toContain('ENOENT');
  });

  it('ends the program and its children when interrupted', async () => {
    install('parent', PARENT);
    const interruption = new AbortController();
    const end = runCommand(['parent'], { root, limitMs, signal: interruption.signal });
    const child = await childId();
    expect(isRunning(child)).toBe(true);
    interruption.abort();
    expect((await end).problem).toBe('interrupted');
    // A signal takes a moment to arrive; that it never does shows as this test's time limit.
    while (isRunning(child)) await new Promise((resolve) => setImmediate(resolve));
  });

  it('ends the program when the time is over', async () => {
    install('slow', 'exec sleep 600');
    const end = await runCommand(['slow'], { root, limitMs: 50, signal });
    expect(end).toEqual({ exitCode: 1, problem: expect.stringContaining('took longer than') });
  });

  it('starts nothing after an interruption', async () => {
    install('good', 'touch started');
    const end = await runCommand(['good'], { root, limitMs, signal: AbortSignal.abort() });
    expect(end.problem).toBe('interrupted');
    expect(existsSync(join(root, 'started'))).toBe(false);
  });
});
