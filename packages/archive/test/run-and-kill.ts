import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

export interface Ended {
  readonly code: number | null;
  readonly lines: readonly string[];
}

/**
 * Runs a script of this folder in a process of its own until it ends or, with `killAfterLines`, is
 * killed (SIGKILL) as soon as it has printed that many lines.
 */
export async function runAndKill(
  script: string,
  parameters: readonly string[],
  killAfterLines = Infinity,
): Promise<Ended> {
  const path = fileURLToPath(new URL(script, import.meta.url));
  const child = spawn(process.execPath, [path, ...parameters], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const lines: string[] = [];
  createInterface({ input: child.stdout }).on('line', (line) => {
    lines.push(line);
    if (lines.length >= killAfterLines) child.kill('SIGKILL');
  });
  await once(child, 'close');
  return { code: child.exitCode, lines };
}
