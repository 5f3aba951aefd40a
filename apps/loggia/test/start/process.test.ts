import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { expect, it, type TestContext } from 'vitest';
import { TestServer } from '../test-server.ts';
import { addSite, countPageviews, sendPageview, success, trial } from './proof.ts';
import { need } from './surroundings.ts';

it.each(['SIGHUP', 'SIGINT'] as const)('%s stops it as cleanly as SIGTERM', async (signal) => {
  await using server = await TestServer.start();
  addSite(server);
  await sendPageview(server);
  expect(await server.stop(signal)).toEqual({ code: 0, signal: null });
  expect(server.output()).toContain('Stopped.');
});

it('a reader of the log that goes away does not stop it', async () => {
  await using server = await TestServer.start({ env: { LOGGIA_LOG_LEVEL: 'debug' } });
  server.process.stdout?.destroy();
  server.process.stderr?.destroy();
  for (let count = 0; count < 20; count += 1) {
    expect((await server.ask('GET', '/api/v2/nothing')).status).toBe(404);
  }
  expect(await trial(server)).toEqual(success(1));
});

it('a log that was closed before the start does not stop it', async () => {
  await using server = await TestServer.start({
    under: ['sh', '-c', 'exec "$@" 2>&-', 'sh'],
  });
  expect(await trial(server)).toEqual(success(1));
});

it('as process 1 of a container it stops on SIGTERM', async (context) => {
  const unshare = unshareWith(context, '--pid', '--fork', '--kill-child', '--mount-proc');
  await using server = await TestServer.start({ under: unshare });
  const key = addSite(server);
  await sendPageview(server);
  expect(await countPageviews(server, key)).toBe(1);
  process.kill(childOf(server.process.pid ?? 0), 'SIGTERM');
  expect(await server.ended).toEqual({ code: 0, signal: null });
  expect(server.output()).toContain('Stopped.');
});

it('without any network it starts and answers on the machine itself', async (context) => {
  const unshare = unshareWith(context, '--net');
  need(context, 'unshare', [...unshare, 'ip', 'link', 'set', 'lo', 'up']);
  const up = [...unshare, 'sh', '-c', 'ip link set lo up && exec "$@"', 'sh'];
  await using server = await TestServer.start({
    under: up,
    env: { LOGGIA_BASE_URL: 'https://stats.example.org' },
  });
  server.addSite('start.example');
  const answers = askFrom(server, [
    ['/livez', null],
    ['/api/event', { n: 'pageview', u: 'https://start.example/', d: 'start.example' }],
    [
      '/api/v2/query',
      { site_id: 'start.example', metrics: ['pageviews'], date_range: 'all' },
      server.addKey('stats:read'),
    ],
  ]);
  expect(answers).toEqual([
    expect.stringMatching(/^200 /),
    expect.stringMatching(/^202 /),
    expect.stringMatching(/^200 .*"metrics":\[1\]/),
  ]);
  expect(await server.stop()).toEqual({ code: 0, signal: null });
});

/** How this user gets such a namespace; skips the test where there is none. */
function unshareWith(context: TestContext, ...flags: readonly string[]): readonly string[] {
  const plain = ['unshare', ...flags];
  if (spawnSync('unshare', [...flags, 'true'], { stdio: 'ignore' }).status === 0) return plain;
  const mapped = ['unshare', '--map-root-user', ...flags];
  need(context, 'unshare', [...mapped, 'true']);
  return mapped;
}

/** The only child of a process. */
function childOf(pid: number): number {
  return Number(readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim());
}

type Request = readonly [path: string, body: unknown, key?: string];

/** Asks from within the server's own network; each answer is its status and its body. */
function askFrom(server: TestServer, requests: readonly Request[]): unknown {
  const script = `
    const answers = [];
    for (const [path, body, key] of ${JSON.stringify(requests)}) {
      const response = await fetch(${JSON.stringify(server.url)} + path, {
        ...(body === null ? {} : { method: 'POST', body: JSON.stringify(body) }),
        headers: {
          'content-type': 'application/json',
          'user-agent': 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0',
          ...(key === undefined ? {} : { authorization: 'Bearer ' + key }),
        },
      });
      answers.push(response.status + ' ' + (await response.text()));
    }
    console.log(JSON.stringify(answers));`;
  const target = `--target=${server.process.pid}`;
  const flags = [target, '--user', '--preserve-credentials', '--net'];
  const node = [process.execPath, '--input-type=module', '--eval', script];
  const direct = spawnSync('nsenter', [target, '--net', ...node], { encoding: 'utf8' });
  const { stdout, stderr } =
    direct.status === 0 ? direct : spawnSync('nsenter', [...flags, ...node], { encoding: 'utf8' });
  if (stdout === '') throw new Error(stderr);
  return JSON.parse(stdout) as unknown;
}
