import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import type { EngineStep } from './engine-scenario.ts';

const SWITCH = new URL('./engine-kill-switch.ts', import.meta.url).href;
const CHILD = fileURLToPath(new URL('./engine-child.ts', import.meta.url));

const DAEMON = fileURLToPath(new URL('./engine-daemon-child.ts', import.meta.url));

export interface EndedScenario {
  readonly lines: readonly string[];
  /** How many calls there were; undefined when it was killed before. */
  readonly calls: number | undefined;
  readonly isKilled: boolean;
  readonly errors: string;
}

/** Runs a primary and its replica until they are killed, at their `killAt`-th call. */
export async function runDaemon(
  homes: readonly [string, string],
  options: { readonly epoch: number; readonly killAt: number },
): Promise<EndedScenario> {
  const child = spawn(
    process.execPath,
    ['--import', SWITCH, DAEMON, ...homes, `${options.epoch}`],
    {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, KILL_AT: `${options.killAt}` },
    },
  );
  const [output, errors] = await Promise.all([text(child.stdout), text(child.stderr)]);
  if (child.exitCode === null && child.signalCode === null) await once(child, 'close');
  const lines = output.split('\n').filter((line) => line !== '');
  return { lines, calls: undefined, isKilled: child.signalCode === 'SIGKILL', errors };
}

export interface ScenarioOptions {
  readonly seed: number;
  readonly steps: number;
  readonly killAt?: number;
  /** What is done after the steps, and cut off. */
  readonly focus?: EngineStep;
}

/** Runs a scenario in a process of its own, which is killed before its `killAt`-th call. */
export function runScenario(
  homes: readonly [string, string],
  options: ScenarioOptions,
): EndedScenario {
  const { seed, steps, killAt, focus } = options;
  const child = spawnSync(
    process.execPath,
    ['--import', SWITCH, CHILD, ...homes, `${seed}`, `${steps}`, focus ?? ''],
    {
      encoding: 'utf8',
      timeout: 120_000,
      env: { ...process.env, ...(killAt === undefined ? {} : { KILL_AT: `${killAt}` }) },
    },
  );
  const lines = child.stdout.split('\n').filter((line) => line !== '');
  const last = /^calls (\d+)$/.exec(lines.at(-1) ?? '')?.[1];
  return {
    lines,
    calls: last === undefined ? undefined : Number(last),
    isKilled: child.signal === 'SIGKILL',
    errors: child.stderr,
  };
}
