import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { until } from './daemon-process.ts';
import { matchesGuide, type GuideStep } from './guide-document.ts';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));
const PROGRAM = join(ROOT, 'apps/tandem/bin/tandem.js');
/** Commands that change nothing may be repeated until they show what is awaited. */
const CHANGES = /^(?:cp|sed|kill)\b| -d |tandem (?:promote|handoff)/;
const CTRL_C = '^C';

interface Terminal {
  readonly process: ChildProcess;
  log: string;
}

/** A person at several terminals, who types what a guide says. */
export class GuideTerminals {
  readonly #terminals = new Map<string, Terminal>();
  /** Part of the command line of everything that is started, and of nothing else on the machine. */
  readonly #mark: string;

  constructor(mark: string) {
    this.#mark = mark;
  }

  /** Carries a step out. Rejects when something else is seen than the guide says. */
  async type({ terminal, lines, expected }: GuideStep): Promise<void> {
    if (terminal === undefined) return this.#see(lines.join('\n'), expected);
    for (const line of lines) {
      if (line === CTRL_C) await this.#interrupt(terminal);
      else this.#start(terminal, line);
    }
    if (expected !== undefined) await this.#awaitLog(terminal, expected.trim().split('\n'));
  }

  /** Ends all that was started, also what outlived those who started it, and waits until it has ended. */
  async close(): Promise<void> {
    await until(() => {
      const found = spawnSync('pgrep', ['-f', this.#mark], { encoding: 'utf8' });
      const ids = found.stdout.split('\n').filter((line) => line !== '');
      for (const id of ids) kill(Number(id));
      return ids.length === 0;
    }, 'the end of all that was started');
    for (const { process: child } of this.#terminals.values()) {
      if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
    }
  }

  async #see(script: string, expected: string | undefined): Promise<void> {
    let seen = this.#run(script);
    if (expected === undefined || matchesGuide(expected, seen)) return;
    const isRepeatable = !script.split('\n').some((line) => CHANGES.test(line));
    const again = async (): Promise<boolean> => {
      seen = this.#run(script);
      return matchesGuide(expected, seen);
    };
    try {
      if (isRepeatable) return await until(again, script);
    } catch {
      // What was seen last says more.
    }
    throw new Error(`${script}\n\nshows\n\n${seen}\nnot\n\n${expected}\n${this.#logs()}`);
  }

  /** From standard input, so that the shell's own command line is none of those it looks for. */
  #run(script: string): string {
    const options = {
      input: asRun(script),
      cwd: ROOT,
      env: environment(),
      encoding: 'utf8',
    } as const;
    return spawnSync('sh', ['-s'], { ...options, timeout: 100_000 }).stdout;
  }

  #start(terminal: string, command: string): void {
    const child = spawn('sh', ['-c', `exec ${asRun(command)}`], {
      cwd: ROOT,
      env: environment(),
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const entry: Terminal = { process: child, log: '' };
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => {
        entry.log += text;
      });
    }
    this.#terminals.set(terminal, entry);
  }

  async #interrupt(terminal: string): Promise<void> {
    const child = this.#terminals.get(terminal)?.process;
    if (child === undefined) throw new RangeError(`nothing runs in the ${terminal} terminal`);
    const ended = once(child, 'exit');
    child.kill('SIGINT');
    await ended;
  }

  async #awaitLog(terminal: string, expected: readonly string[]): Promise<void> {
    const holds = (): boolean => {
      const lines = this.#terminals.get(terminal)?.log.split('\n') ?? [];
      let at = 0;
      for (const line of lines) if (matchesGuide(expected[at] ?? '', line)) at += 1;
      return at >= expected.length;
    };
    try {
      await until(holds, `the log of the ${terminal} terminal`);
    } catch (cause) {
      throw new Error(`not seen:\n${expected.join('\n')}\n\n${this.#logs()}`, { cause });
    }
  }

  #logs(): string {
    return Array.from(this.#terminals, ([name, { log }]) => `${name} terminal:\n${log}`).join('\n');
  }
}

/** A guard may have ended an application before, when its daemon was killed. */
function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error;
  }
}

/** `npx` runs the Node.js and the program of this repository; so does this, sooner. */
function asRun(script: string): string {
  return script.replaceAll('npx tandem ', `node ${PROGRAM} `);
}

function environment(): NodeJS.ProcessEnv {
  const path = `${dirname(process.execPath)}:${process.env['PATH'] ?? ''}`;
  const inherited = Object.entries(process.env).filter(([name]) => !name.startsWith('TANDEM_'));
  return { ...Object.fromEntries(inherited), PATH: path };
}
