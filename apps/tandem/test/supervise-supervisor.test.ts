import { chmodSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { SupervisedCommand } from '../src/supervise/supervisor.ts';
import { listener, shell, SupervisorFixture } from './supervise-fixture.ts';

function always(words: readonly string[]): SupervisedCommand {
  return { words, condition: 'always' };
}

describe('the commands', () => {
  it('run in order, and the last one’s exit code is the daemon’s', async () => {
    const commands = ['echo one >> $LOG', 'echo two >> $LOG', 'echo app >> $LOG; exit 73'];
    using fixture = new SupervisorFixture({
      commands: commands.map((script) => always(shell(script))),
    });
    expect(await fixture.supervisor.run()).toBe(73);
    expect(await fixture.lines(3)).toEqual(['one', 'two', 'app']);
  });

  it('get 128 and the signal’s number when a signal ends the application', async () => {
    using fixture = new SupervisorFixture({ commands: [always(shell('kill -KILL $$'))] });
    expect(await fixture.supervisor.run()).toBe(137);
  });

  it('stop at the first that fails, with its exit code and a message', async () => {
    using fixture = new SupervisorFixture({
      commands: [always(shell('exit 3')), always(shell('echo never >> $LOG'))],
    });
    expect(await fixture.supervisor.run()).toBe(3);
    expect(existsSync(fixture.folder.file('log'))).toBe(false);
    expect(fixture.logged.at(-1)).toContain("error | 'sh -c exit 3' ended with exit code 3.");
  });

  it('leave the daemon up without the application when exit-on-error is false', async () => {
    using fixture = new SupervisorFixture({
      commands: [always(shell('exit 3')), always(shell('echo never >> $LOG'))],
      exitsOnError: false,
    });
    const run = fixture.supervisor.run();
    await fixture.untilLogged('the daemon stays up');
    fixture.signal('SIGTERM');
    expect(await run).toBe(3);
    expect(existsSync(fixture.folder.file('log'))).toBe(false);
  });

  it('end with 127 when there is no such program, and with 126 when it may not be run', async () => {
    using fixture = new SupervisorFixture({ commands: [always(['/no/such/program'])] });
    expect(await fixture.supervisor.run()).toBe(127);
    expect(fixture.logged.at(-1)).toContain("There is no program '/no/such/program'.");

    const path = fixture.folder.file('script');
    writeFileSync(path, '#!/bin/sh\n');
    chmodSync(path, 0o644);
    using forbidden = new SupervisorFixture({ commands: [always([path])] });
    expect(await forbidden.supervisor.run()).toBe(126);
    expect(forbidden.logged.at(-1)).toContain(`This user may not run '${path}'.`);
  });

  it('get the environment they are given, and nothing of the daemon’s own', async () => {
    using fixture = new SupervisorFixture({
      commands: [always(shell('echo "$TANDEM_URL ${HOME-unset}" >> log'))],
      environment: { PATH: process.env['PATH'], TANDEM_URL: 'http://127.0.0.1:1' },
    });
    expect(await fixture.supervisor.run()).toBe(0);
    expect(await fixture.lines(1)).toEqual(['http://127.0.0.1:1 unset']);
  });
});

describe('a command marked if-primary', () => {
  const commands: readonly SupervisedCommand[] = [
    { words: shell('echo migration >> $LOG'), condition: 'if-primary' },
    { words: shell('echo app >> $LOG'), condition: 'always' },
  ];

  it('runs on the primary, once that is known', async () => {
    const role = Promise.withResolvers<'primary' | 'replica'>();
    using fixture = new SupervisorFixture({ commands, untilRoleIsKnown: () => role.promise });
    const run = fixture.supervisor.run();
    expect(existsSync(fixture.folder.file('log'))).toBe(false);
    role.resolve('primary');
    expect(await run).toBe(0);
    expect(await fixture.lines(2)).toEqual(['migration', 'app']);
  });

  it('is skipped on a replica, with a line in the log', async () => {
    using fixture = new SupervisorFixture({ commands, untilRoleIsKnown: async () => 'replica' });
    expect(await fixture.supervisor.run()).toBe(0);
    expect(await fixture.lines(1)).toEqual(['app']);
    expect(fixture.logged[0]).toBe(
      'info | skipped, since this node is not primary | sh -c echo migration >> $LOG',
    );
  });

  it('does not hold up the end while nobody is primary', async () => {
    using fixture = new SupervisorFixture({
      commands,
      untilRoleIsKnown: () => new Promise(() => {}),
    });
    const run = fixture.supervisor.run();
    fixture.signal('SIGTERM');
    expect(await run).toBe(143);
    expect(existsSync(fixture.folder.file('log'))).toBe(false);
  });

  it('leaves the daemon up when it is the last and skipped', async () => {
    using fixture = new SupervisorFixture({
      commands: [{ words: shell('echo app >> $LOG'), condition: 'if-primary' }],
      untilRoleIsKnown: async () => 'replica',
    });
    const run = fixture.supervisor.run();
    await fixture.untilLogged('skipped');
    fixture.signal('SIGTERM');
    expect(await run).toBe(0);
    expect(existsSync(fixture.folder.file('log'))).toBe(false);
  });
});

it('a command marked if-candidate runs on candidates only', async () => {
  const commands: readonly SupervisedCommand[] = [
    { words: shell('echo candidate >> $LOG'), condition: 'if-candidate' },
    { words: shell('echo app >> $LOG'), condition: 'always' },
  ];
  using candidate = new SupervisorFixture({ commands });
  await candidate.supervisor.run();
  expect(await candidate.lines(2)).toEqual(['candidate', 'app']);
  using other = new SupervisorFixture({ commands, isCandidate: false });
  await other.supervisor.run();
  expect(await other.lines(1)).toEqual(['app']);
});

describe('a signal', () => {
  it('is passed on, and the application’s answer to it is waited for', async () => {
    using fixture = new SupervisorFixture({
      commands: [always(listener("if (name === 'SIGTERM') process.exit(5);"))],
    });
    const run = fixture.supervisor.run();
    const passed = ['SIGHUP', 'SIGUSR1', 'SIGUSR2', 'SIGWINCH', 'SIGINT', 'SIGTERM'] as const;
    for (const [index, name] of passed.entries()) {
      await fixture.lines(index + 1);
      fixture.signal(name);
    }
    expect(await run).toBe(5);
    expect(await fixture.lines(7)).toEqual(['ready', ...passed]);
  });

  it('that asks to end is passed on once, however often it comes', async () => {
    using fixture = new SupervisorFixture({ commands: [always(listener())] });
    const run = fixture.supervisor.run();
    await fixture.lines(1);
    fixture.signal('SIGINT');
    await fixture.lines(2);
    fixture.signal('SIGINT');
    fixture.signal('SIGINT');
    fixture.signal('SIGUSR2');
    expect(await fixture.lines(3)).toEqual(['ready', 'SIGINT', 'SIGUSR2']);
    fixture.supervisor.kill();
    expect(await run).toBe(137);
  });

  it('from a terminal reaches the application from there, and not a second time', async () => {
    using fixture = new SupervisorFixture({
      commands: [always(listener())],
      hasTerminal: true,
    });
    const run = fixture.supervisor.run();
    await fixture.lines(1);
    fixture.signal('SIGINT');
    fixture.signal('SIGWINCH');
    fixture.signal('SIGHUP');
    expect(await fixture.lines(2)).toEqual(['ready', 'SIGHUP']);
    fixture.supervisor.kill();
    expect(await run).toBe(137);
  });

  it('during a migration ends that, and the application is never started', async () => {
    using fixture = new SupervisorFixture({
      commands: [always(listener('process.exit(0);')), always(shell('echo app >> $LOG'))],
    });
    const run = fixture.supervisor.run();
    await fixture.lines(1);
    fixture.signal('SIGTERM');
    expect(await run).toBe(143);
    expect(await fixture.lines(2)).toEqual(['ready', 'SIGTERM']);
  });

  it('ends a daemon without an application, with exit code 0', async () => {
    let handOffs = 0;
    using fixture = new SupervisorFixture({
      beforeEnd: async () => {
        handOffs += 1;
      },
    });
    const run = fixture.supervisor.run();
    fixture.signal('SIGTERM');
    expect(await run).toBe(0);
    expect(handOffs).toBe(1);
  });
});

describe('the time of grace', () => {
  it('ends in SIGKILL for the application and what it has started', async () => {
    const child = `
      const { appendFileSync } = require('node:fs');
      process.on('SIGTERM', () => appendFileSync(process.env.LOG, 'ignored\\n'));
      const grandchild = require('node:child_process').spawn('sleep', ['1000'], { stdio: 'ignore' });
      appendFileSync(process.env.LOG, grandchild.pid + '\\n');
    `;
    using fixture = new SupervisorFixture({
      commands: [always([process.execPath, '-e', child])],
      graceMs: 50,
    });
    const run = fixture.supervisor.run();
    const [pid = ''] = await fixture.lines(1);
    fixture.signal('SIGTERM');
    expect(await run).toBe(137);
    // The signal is under way to it; and where nobody collects it, it stays as a zombie.
    await expect.poll(() => isRunning(Number(pid))).toBe(false);
  });
});

describe('before the end', () => {
  it('the application still runs, and gets the signal afterwards', async () => {
    const handedOff = Promise.withResolvers<void>();
    using fixture = new SupervisorFixture({
      commands: [always(listener('process.exit(0);'))],
      beforeEnd: () => handedOff.promise,
    });
    const run = fixture.supervisor.run();
    await fixture.lines(1);
    fixture.signal('SIGTERM');
    expect(fixture.supervisor.isApplicationRunning).toBe(true);
    expect(await fixture.lines(1)).toEqual(['ready']);
    handedOff.resolve();
    expect(await run).toBe(0);
    expect(await fixture.lines(2)).toEqual(['ready', 'SIGTERM']);
  });

  it('is cut short by a second signal', async () => {
    using fixture = new SupervisorFixture({
      commands: [always(listener('process.exit(0);'))],
      beforeEnd: (hurry) =>
        new Promise((resolve) => hurry.addEventListener('abort', () => resolve())),
    });
    const run = fixture.supervisor.run();
    await fixture.lines(1);
    fixture.signal('SIGTERM');
    fixture.signal('SIGTERM');
    expect(await run).toBe(0);
    expect(await fixture.lines(2)).toEqual(['ready', 'SIGTERM']);
  });

  it('may fail, and the application ends all the same', async () => {
    using fixture = new SupervisorFixture({
      commands: [always(listener('process.exit(0);'))],
      beforeEnd: async () => {
        throw new Error('nobody to hand off to');
      },
    });
    const run = fixture.supervisor.run();
    await fixture.lines(1);
    fixture.signal('SIGTERM');
    expect(await run).toBe(0);
    expect(fixture.logged.join('\n')).toContain('nobody to hand off to');
  });
});

describe('when the role changes', () => {
  it('nothing is done by default', async () => {
    using fixture = new SupervisorFixture({ commands: [always(listener('process.exit(0);'))] });
    const run = fixture.supervisor.run();
    await fixture.lines(1);
    fixture.supervisor.roleChanged(false);
    fixture.supervisor.roleChanged(true);
    fixture.signal('SIGUSR2');
    expect(await run).toBe(0);
    expect(await fixture.lines(2)).toEqual(['ready', 'SIGUSR2']);
  });

  it('the application gets the wanted signal, once per change', async () => {
    using fixture = new SupervisorFixture({
      commands: [always(listener())],
      onRoleChange: { kind: 'signal', signal: 'SIGHUP' },
    });
    const run = fixture.supervisor.run();
    await fixture.lines(1);
    fixture.supervisor.roleChanged(false);
    fixture.supervisor.roleChanged(true);
    await fixture.lines(2);
    fixture.supervisor.roleChanged(true);
    fixture.signal('SIGUSR2');
    expect(await fixture.lines(3)).toEqual(['ready', 'SIGHUP', 'SIGUSR2']);
    fixture.supervisor.kill();
    expect(await run).toBe(137);
  });

  it('all commands run again, and migrations find the new primary', async () => {
    let role: 'primary' | 'replica' = 'replica';
    using fixture = new SupervisorFixture({
      commands: [
        { words: shell('echo migration >> $LOG'), condition: 'if-primary' },
        always(listener('process.exit(9);')),
      ],
      onRoleChange: { kind: 'restart' },
      untilRoleIsKnown: async () => role,
    });
    fixture.supervisor.roleChanged(false);
    const run = fixture.supervisor.run();
    expect(await fixture.lines(1)).toEqual(['ready']);
    role = 'primary';
    fixture.supervisor.roleChanged(true);
    expect(await fixture.lines(4)).toEqual(['ready', 'SIGTERM', 'migration', 'ready']);
    fixture.signal('SIGTERM');
    expect(await run).toBe(9);
  });
});

/** Whether the process lives. One that has ended and was not collected does not. */
function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    const stat = `/proc/${pid}/stat`;
    return !existsSync(stat) || !/\) Z /.test(readFileSync(stat, 'utf8'));
  } catch {
    return false;
  }
}
