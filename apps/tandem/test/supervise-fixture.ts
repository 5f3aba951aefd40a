import { EventEmitter } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, watch } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Supervisor, type SupervisorOptions } from '../src/supervise/supervisor.ts';

/** An empty folder that is gone when its block ends. */
export class TemporaryFolder {
  readonly path = mkdtempSync(join(tmpdir(), 'tandem-app-'));

  file(name: string): string {
    return join(this.path, name);
  }

  /** The lines of a file, once it has at least so many. */
  async lines(name: string, countMin: number): Promise<string[]> {
    const path = this.file(name);
    const read = (): string[] =>
      existsSync(path) ? readFileSync(path, 'utf8').split('\n').slice(0, -1) : [];
    const enough = Promise.withResolvers<void>();
    const watcher = watch(this.path, () => {
      if (read().length >= countMin) enough.resolve();
    });
    if (read().length >= countMin) enough.resolve();
    await enough.promise;
    watcher.close();
    return read();
  }

  [Symbol.dispose](): void {
    rmSync(this.path, { recursive: true, force: true });
  }
}

/** A supervisor with what a test sees of it. Commands of a shell append to the file `log`. */
export class SupervisorFixture {
  readonly folder = new TemporaryFolder();
  readonly signals = new EventEmitter();
  readonly logged: string[] = [];
  readonly supervisor: Supervisor;
  #onLog: (() => void) | undefined;

  constructor(options: Partial<SupervisorOptions> = {}) {
    this.supervisor = new Supervisor({
      commands: [],
      isCandidate: true,
      untilRoleIsKnown: async () => 'primary',
      environment: { PATH: process.env['PATH'], LOG: this.folder.file('log') },
      folder: this.folder.path,
      graceMs: 60_000,
      onRoleChange: { kind: 'nothing' },
      exitsOnError: true,
      signals: this.signals,
      hasTerminal: false,
      log: (level, message, facts) => {
        this.logged.push([level, message, ...Object.values(facts)].join(' | '));
        this.#onLog?.();
      },
      ...options,
    });
  }

  signal(name: NodeJS.Signals): void {
    this.signals.emit(name, name);
  }

  /** Resolves once a line of the log contains `text`. */
  async untilLogged(text: string): Promise<void> {
    const there = Promise.withResolvers<void>();
    this.#onLog = () => {
      if (this.logged.some((line) => line.includes(text))) there.resolve();
    };
    this.#onLog();
    await there.promise;
  }

  /** What commands have written, once there are so many lines. */
  lines(countMin: number): Promise<string[]> {
    return this.folder.lines('log', countMin);
  }

  [Symbol.dispose](): void {
    this.supervisor.kill();
    this.folder[Symbol.dispose]();
  }
}

/** A command that a shell runs. */
export function shell(script: string): readonly string[] {
  return ['sh', '-c', script];
}

/** A program of Node that says `ready`, and then the name of each signal it gets, until told to end. */
export function listener(ending = ''): readonly string[] {
  const script = `
    const { appendFileSync } = require('node:fs');
    const say = (text) => appendFileSync(process.env.LOG, text + '\\n');
    for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT', 'SIGUSR1', 'SIGUSR2', 'SIGWINCH']) {
      process.on(name, () => { say(name); ${ending} });
    }
    setInterval(() => {}, 1 << 30);
    say('ready');
  `;
  return [process.execPath, '-e', script];
}
