import { appendFileSync, mkdirSync } from 'node:fs';
import { loadavg } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { USAGE, parseBenchOptions, type BenchOptions } from './bench-options.ts';
import { DemoFolder } from './demo-folder.ts';
import { ChildProcesses } from './processes/child-processes.ts';
import { readMachine, type Machine } from './report/machine.ts';
import { profileText } from './report/profile-text.ts';
import { resultLines } from './report/result-lines.ts';
import { resultTable } from './report/result-table.ts';
import { WorkFolder } from './work-folder.ts';
import type { BenchContext, Workload } from './workload.ts';
import { WORKLOADS } from './workload-list.ts';

const RESULTS_DIR = fileURLToPath(new URL('../results', import.meta.url));
const DEMO_EVENTS = 1_000_000;
const DEMO_EVENTS_QUICK = 30_000;
const EXIT_CODES = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 } as const;

process.exitCode = await main(process.argv.slice(2));

async function main(args: readonly string[]): Promise<number> {
  let options: BenchOptions;
  try {
    const names = WORKLOADS.map(({ name }) => name);
    options = parseBenchOptions(args, names);
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n${USAGE}`);
    return 2;
  }
  if (options.list) {
    for (const { name, summary } of WORKLOADS) console.log(`${name.padEnd(16)}${summary}`);
    return 0;
  }
  return await runAll(options);
}

async function runAll(options: BenchOptions): Promise<number> {
  const { names, quick, profile } = options;
  const children = new ChildProcesses();
  const work = new WorkFolder(options.folder ?? RESULTS_DIR);
  endWithThisProcess(children, work);
  const machine = readMachine(work.path);
  const started = new Date().toISOString().replaceAll(':', '-').slice(0, 19);
  const files = {
    results: join(RESULTS_DIR, `${started}.jsonl`),
    profiles: profile ? join(RESULTS_DIR, `${started}-profiles`) : undefined,
  };
  mkdirSync(files.profiles ?? RESULTS_DIR, { recursive: true });
  console.log(machineText(machine));
  const events = quick ? DEMO_EVENTS_QUICK : DEMO_EVENTS;
  const demo = new DemoFolder({ children, work, events });
  let failures = 0;
  for (const workload of WORKLOADS) {
    if (names.length > 0 && !names.includes(workload.name)) continue;
    const note = (text: string): void => {
      process.stderr.write(`${workload.name}: ${text}\n`);
    };
    const { archiveEvents } = options;
    const context = {
      quick,
      archiveEvents,
      children,
      work,
      demo,
      profileDir: files.profiles,
      note,
    };
    const isDone = await runOne(workload, context, { machine, resultsFile: files.results });
    if (!isDone) failures += 1;
  }
  if (files.profiles !== undefined) console.log(profileText(files.profiles));
  console.log(`\nResults: ${files.results}`);
  return failures === 0 ? 0 : 1;
}

/** Runs a workload and keeps and prints its results. False when it failed, and why is printed. */
async function runOne(
  workload: Workload,
  context: BenchContext,
  { machine, resultsFile }: { readonly machine: Machine; readonly resultsFile: string },
): Promise<boolean> {
  const time = new Date().toISOString();
  const loadBefore = loadOfLastMinute();
  try {
    const measurements = await workload.run(context);
    const loadAfter = loadOfLastMinute();
    const { quick, profileDir } = context;
    const profiled = profileDir !== undefined;
    const origin = { time, workload: workload.name, quick, profiled, loadBefore, loadAfter };
    appendFileSync(resultsFile, resultLines({ ...origin, machine }, measurements));
    console.log(
      `\n${workload.name}: ${workload.summary} (load ${loadBefore} before, ${loadAfter} after)\n` +
        resultTable(measurements),
    );
    return true;
  } catch (error) {
    console.error(`\n${workload.name} failed:`, error);
    return false;
  }
}

function loadOfLastMinute(): number {
  return Math.round((loadavg()[0] ?? 0) * 100) / 100;
}

function machineText(machine: Machine): string {
  const { cpu, cores, memory_bytes: bytes, platform, node, file_system: disk, commit } = machine;
  const memory = `${(bytes / 2 ** 30).toFixed(1)} GiB`;
  return `${cpu}, ${cores} cores, ${memory}, ${platform}, Node.js ${node}, ${disk}, commit ${commit}`;
}

/** However this process ends, its children and its data go with it. */
function endWithThisProcess(children: ChildProcesses, work: WorkFolder): void {
  process.on('exit', () => {
    children.killAll();
    work.remove();
  });
  for (const [signal, code] of Object.entries(EXIT_CODES)) {
    process.on(signal, () => process.exit(code));
  }
}
