import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const BIN = fileURLToPath(new URL('../../bin/loggia.js', import.meta.url));
const run = promisify(execFile);

/** Runs the real command with `--json` and returns the object it printed. */
export async function loggia(
  args: readonly string[],
  { dataDir, env }: { readonly dataDir: string; readonly env: Readonly<Record<string, string>> },
): Promise<Readonly<Record<string, unknown>>> {
  const all = [BIN, ...args, '--json', '--data-dir', dataDir];
  const { stdout } = await run(process.execPath, all, {
    env: { PATH: process.env['PATH'], ...env },
  });
  return JSON.parse(stdout) as Readonly<Record<string, unknown>>;
}
