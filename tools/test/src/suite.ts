import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { CHROMIUM_VARIABLE, findChromium } from './chromium.ts';
import { runCommand, type CommandEnd } from './command.ts';
import { isOutcomes, type Outcome } from './outcome.ts';
import { STATIC_CHECKS, type Plan, type Project } from './plan.ts';
import { OUTCOMES_FILE_VARIABLE } from './record-reporter.ts';

const STEP_LIMIT_MS = 15 * 60_000;
const REPORTER = fileURLToPath(new URL('record-reporter.ts', import.meta.url));

/** Where to run and when to stop. */
export interface SuiteOptions {
  /** The folder that holds `vitest.config.ts` and `node_modules`. */
  readonly root: string;
  readonly signal: AbortSignal;
  /** Says what begins. */
  readonly announce: (title: string) => void;
  /** What becomes of the steps' output; by default it appears among ours. */
  readonly output?: 'inherit' | 'ignore';
}

/** Runs what the plan asks for, one step after the other, whether or not the one before failed. */
export async function runSuite(plan: Plan, options: SuiteOptions): Promise<Outcome[]> {
  const outcomes: Outcome[] = [];
  if (plan.staticChecks) {
    for (const { name, command } of STATIC_CHECKS) {
      options.announce(name);
      const end = await runCommand(command, { ...options, limitMs: STEP_LIMIT_MS });
      outcomes.push(endOutcome(name, end));
    }
  }
  for (const project of plan.projects) {
    options.announce(`${project} tests`);
    outcomes.push(...(await runProject(project, plan.filters, options)));
  }
  return outcomes;
}

async function runProject(
  project: Project,
  filters: readonly string[],
  options: SuiteOptions,
): Promise<Outcome[]> {
  const folder = mkdtempSync(join(tmpdir(), 'test-outcomes-'));
  const file = join(folder, 'outcomes.json');
  const browser = project === 'browser' ? findChromium() : undefined;
  const isListing = project === 'browser' && browser === undefined;
  try {
    const end = await runCommand(vitestCommand(project, filters, isListing ? file : undefined), {
      ...options,
      environment: {
        [OUTCOMES_FILE_VARIABLE]: file,
        ...(browser === undefined ? {} : { [CHROMIUM_VARIABLE]: browser }),
      },
      limitMs: STEP_LIMIT_MS,
    });
    const outcomes = isListing ? listedOutcomes(file, options.root) : recordedOutcomes(file);
    return completed(project, { outcomes, end, isFiltered: filters.length > 0 });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function vitestCommand(
  project: Project,
  filters: readonly string[],
  listFile: string | undefined,
): [string, ...string[]] {
  const selection = ['--project', project, ...filters];
  if (listFile !== undefined) return ['vitest', 'list', `--json=${listFile}`, ...selection];
  const reporters = ['--reporter=default', `--reporter=${REPORTER}`];
  return ['vitest', 'run', '--passWithNoTests', ...reporters, ...selection];
}

function recordedOutcomes(file: string): Outcome[] | undefined {
  const value = readJson(file);
  return isOutcomes(value) ? value : undefined;
}

/** Without a browser its tests are still named, each as skipped. */
function listedOutcomes(file: string, root: string): Outcome[] | undefined {
  const value = readJson(file);
  if (!Array.isArray(value)) return undefined;
  return value.flatMap((test: unknown) => {
    const named = typeof test === 'object' && test !== null && 'name' in test && 'file' in test;
    if (!named) return [];
    const name = `${relative(root, String(test.file))} > ${String(test.name)}`;
    return [{ name, state: 'skipped' as const, reason: 'needs chromium: none was found' }];
  });
}

interface Completion {
  readonly outcomes: readonly Outcome[] | undefined;
  readonly end: CommandEnd;
  readonly isFiltered: boolean;
}

/** The outcomes, and a failure for what they do not tell: a crash of the runner, an empty project. */
export function completed(project: Project, { outcomes, end, isFiltered }: Completion): Outcome[] {
  const name = `${project} tests`;
  if (outcomes === undefined) {
    const reason = end.problem ?? `the runner exited with ${end.exitCode} and left no record`;
    return [{ name, state: 'failed', reason }];
  }
  if (outcomes.length === 0 && !isFiltered) {
    return [{ name, state: 'failed', reason: 'there are none' }];
  }
  const isExplained = outcomes.some(({ state }) => state === 'failed');
  if (end.problem === undefined && (end.exitCode === 0 || isExplained)) return [...outcomes];
  return [...outcomes, endOutcome(name, end)];
}

function endOutcome(name: string, { exitCode, problem }: CommandEnd): Outcome {
  if (exitCode === 0) return { name, state: 'passed' };
  return { name, state: 'failed', reason: problem ?? `exit code ${exitCode}` };
}

function readJson(file: string): unknown {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch {
    return undefined;
  }
}
