import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

export interface Ended {
  readonly code: number | null;
  readonly signal: string | null;
  readonly lines: readonly string[];
}

/**
 * Runs a script of this folder in a process of its own until it ends. With `killAfterLines` it is
 * killed (SIGKILL) as soon as it has printed that many lines.
 */
export async function runChild(
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
  return { code: child.exitCode, signal: child.signalCode, lines };
}

/**
 * Runs a script once for each list of parameters, all at the same time: each process prints a line
 * when it is ready and goes on when its input ends, which is when all are ready.
 */
export async function runTogether(
  script: string,
  parameterLists: readonly (readonly string[])[],
): Promise<readonly Ended[]> {
  const path = fileURLToPath(new URL(script, import.meta.url));
  const children = parameterLists.map((parameters) => {
    const child = spawn(process.execPath, [path, ...parameters], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    const lines: string[] = [];
    const reader = createInterface({ input: child.stdout }).on('line', (line) => lines.push(line));
    return { child, lines, ready: once(reader, 'line'), closed: once(child, 'close') };
  });
  await Promise.all(children.map(({ ready }) => ready));
  for (const { child } of children) child.stdin.end();
  await Promise.all(children.map(({ closed }) => closed));
  return children.map(({ child, lines }) => ({
    code: child.exitCode,
    signal: child.signalCode,
    lines: lines.slice(1),
  }));
}
