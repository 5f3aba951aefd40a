import { EventEmitter } from 'node:events';
import { existsSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import {
  runWithWriteLock,
  type WriteLockOptions,
  type WriteRight,
} from '../src/supervise/run-with-write-lock.ts';
import { SuperviseError } from '../src/supervise/supervise-error.ts';
import { shell, TemporaryFolder } from './supervise-fixture.ts';

/** A right that writes down what is done with it. */
class ScriptedRight implements WriteRight {
  readonly done: string[] = [];
  readonly #acquire: (signal: AbortSignal) => Promise<void>;

  constructor(acquire: (signal: AbortSignal) => Promise<void> = async () => {}) {
    this.#acquire = acquire;
  }

  async acquire(signal: AbortSignal): Promise<void> {
    this.done.push('acquire');
    await this.#acquire(signal);
  }

  async release(): Promise<void> {
    this.done.push('release');
  }
}

class Fixture {
  readonly folder = new TemporaryFolder();
  readonly signals = new EventEmitter();
  readonly releaseErrors: unknown[] = [];

  run(right: WriteRight, options: Partial<WriteLockOptions> = {}): Promise<number> {
    return runWithWriteLock({
      right,
      words: shell('echo ran >> $LOG; exit 7'),
      acquireTimeoutMs: 60_000,
      isReturned: false,
      environment: { PATH: process.env['PATH'], LOG: this.folder.file('log') },
      graceMs: 60_000,
      signals: this.signals,
      hasTerminal: false,
      onReleaseError: (error) => void this.releaseErrors.push(error),
      ...options,
    });
  }

  get hasRun(): boolean {
    return existsSync(this.folder.file('log'));
  }

  [Symbol.dispose](): void {
    this.folder[Symbol.dispose]();
  }
}

const never = (): Promise<void> => new Promise(() => {});

describe('a command under the right to write', () => {
  it('runs when the right is there, and its exit code is the answer', async () => {
    using fixture = new Fixture();
    const granted = Promise.withResolvers<void>();
    const right = new ScriptedRight(() => granted.promise);
    const run = fixture.run(right);
    expect(fixture.hasRun).toBe(false);
    granted.resolve();
    expect(await run).toBe(7);
    expect(await fixture.folder.lines('log', 1)).toEqual(['ran']);
    expect(right.done).toEqual(['acquire']);
  });

  it('gives the right back if that is wanted, also when it failed', async () => {
    using fixture = new Fixture();
    const right = new ScriptedRight();
    expect(await fixture.run(right, { isReturned: true })).toBe(7);
    expect(right.done).toEqual(['acquire', 'release']);
  });

  it('gives the right back when its program does not exist', async () => {
    using fixture = new Fixture();
    const right = new ScriptedRight();
    const run = fixture.run(right, { isReturned: true, words: ['/no/such/program'] });
    await expect(run).rejects.toMatchObject({ code: 'command_missing', exitCode: 127 });
    expect(right.done).toEqual(['acquire', 'release']);
  });

  it('keeps its exit code when the right cannot be given back', async () => {
    using fixture = new Fixture();
    const right = new ScriptedRight();
    right.release = async () => {
      throw new Error('the other node is gone');
    };
    expect(await fixture.run(right, { isReturned: true })).toBe(7);
    expect(fixture.releaseErrors).toEqual([new Error('the other node is gone')]);
  });

  it('gets the signals', async () => {
    using fixture = new Fixture();
    const words = shell('trap "exit 5" TERM; echo ready >> $LOG; while :; do sleep 0.01; done');
    const run = fixture.run(new ScriptedRight(), { words });
    await fixture.folder.lines('log', 1);
    fixture.signals.emit('SIGTERM', 'SIGTERM');
    expect(await run).toBe(5);
  });
});

describe('without the right', () => {
  it('the command does not run: 75 when it cannot be had in time', async () => {
    using fixture = new Fixture();
    const right = new ScriptedRight(never);
    const run = fixture.run(right, { acquireTimeoutMs: 1, isReturned: true });
    await expect(run).rejects.toMatchObject({ code: 'write_right_timeout', exitCode: 75 });
    expect(fixture.hasRun).toBe(false);
    expect(right.done).toEqual(['acquire']);
  });

  it('75 also when the wait was given up because of the time-out', async () => {
    using fixture = new Fixture();
    const right = new ScriptedRight(
      (signal) =>
        new Promise((_, reject) => {
          signal.addEventListener('abort', () => reject(signal.reason as Error));
        }),
    );
    const run = fixture.run(right, { acquireTimeoutMs: 1 });
    await expect(run).rejects.toMatchObject({ code: 'write_right_timeout', exitCode: 75 });
  });

  it('69 with a static lease, with the sentence that says why', async () => {
    using fixture = new Fixture();
    const right = new ScriptedRight(async () => {
      throw new SuperviseError('write_right_static', 'The lease is static.', { exitCode: 69 });
    });
    await expect(fixture.run(right)).rejects.toMatchObject({
      code: 'write_right_static',
      exitCode: 69,
      message: 'The lease is static.',
    });
    expect(fixture.hasRun).toBe(false);
  });

  it('69 when the node cannot be asked, and that would not change', async () => {
    using fixture = new Fixture();
    const right = new ScriptedRight(async () => {
      throw new Error('No node answers.');
    });
    await expect(fixture.run(right)).rejects.toMatchObject({
      code: 'write_right_refused',
      exitCode: 69,
      message: 'No node answers. The command was not run.',
    });
  });

  it('a signal ends the wait', async () => {
    using fixture = new Fixture();
    const run = fixture.run(new ScriptedRight(never));
    fixture.signals.emit('SIGINT', 'SIGINT');
    expect(await run).toBe(130);
    expect(fixture.hasRun).toBe(false);
  });
});
