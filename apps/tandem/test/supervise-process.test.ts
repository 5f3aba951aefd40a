import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

const DAEMON = fileURLToPath(new URL('supervise-process.ts', import.meta.url));

it('standard input, output and error are the command’s own, byte for byte', () => {
  const bytes = Buffer.from([0, 255, 10, 13, 27, 91, 195, 40]);
  const { stdout, stderr, status } = spawnSync(
    process.execPath,
    [DAEMON, 'sh', '-c', 'cat; echo trouble >&2; exit 4'],
    { input: bytes },
  );
  expect(stdout).toEqual(bytes);
  expect(stderr.toString()).toBe('trouble\n');
  expect(status).toBe(4);
});

it('real signals reach the command, and its exit code comes back', async () => {
  const script = `
    process.on('SIGUSR1', () => console.log('usr1'));
    process.on('SIGTERM', () => process.exit(6));
    setInterval(() => {}, 1 << 30);
    console.log('ready');
  `;
  const daemon = spawn(process.execPath, [DAEMON, process.execPath, '-e', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const exited = once(daemon, 'exit');
  const said: string[] = [];
  for await (const text of daemon.stdout.setEncoding('utf8')) {
    for (const line of String(text).trim().split('\n')) {
      said.push(line);
      daemon.kill(line === 'ready' ? 'SIGUSR1' : 'SIGTERM');
    }
  }
  expect(said).toEqual(['ready', 'usr1']);
  expect(await exited).toEqual([6, null]);
});

it('as process 1, Node leaves what it did not start itself uncollected', (context) => {
  const options = ['--user', '--map-root-user', '--pid', '--fork', '--mount-proc'];
  if (spawnSync('unshare', [...options, 'true']).status !== 0) {
    context.skip('needs unshare: a process can only be number 1 in a namespace of its own');
  }
  // The shell leaves a grandchild behind and ends; when that has ended, its state is looked at.
  const script = `
    (sleep 0.01 & echo $! > /proc/self/fd/3) 3>&1 | {
      read pid
      while grep -qs '^State:.[RSD]' /proc/$pid/status; do :; done
      grep -s State /proc/$pid/status
    }
  `;
  const { stdout } = spawnSync('unshare', [
    ...options,
    process.execPath,
    DAEMON,
    'sh',
    '-c',
    script,
  ]);
  expect(stdout.toString()).toContain('zombie');
});
