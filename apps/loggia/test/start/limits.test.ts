import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { TestServer } from '../test-server.ts';
import { MemoryGroup } from './memory-group.ts';
import { success, trial } from './proof.ts';
import { afterScript, need } from './surroundings.ts';

const LAUNCHER = fileURLToPath(new URL('../../bin/loggia.js', import.meta.url));
const MIB = 2 ** 20;
const LIMIT_BYTES = 512 * MIB;

/** The line in which the server says what it allows DuckDB. */
function engineLimitsOf(server: TestServer): unknown {
  const line = server
    .output()
    .split('\n')
    .find((text) => text.includes('Limits of DuckDB.'));
  return JSON.parse(line ?? '{}');
}

it('512 MiB of memory are enough, and DuckDB and doctor know of them', async (context) => {
  using group = MemoryGroup.make(context, LIMIT_BYTES);
  await using server = await TestServer.start({ under: group.under });
  const memory_bytes = Math.floor((LIMIT_BYTES - 256 * MIB) * 0.8);
  expect(engineLimitsOf(server)).toMatchObject({ memory_bytes });
  const command = [process.execPath, LAUNCHER, 'doctor', '--json', '--data-dir', server.dataDir];
  const [program = '', ...rest] = [...group.under, ...command];
  const { stdout } = spawnSync(program, rest, {
    encoding: 'utf8',
    env: { PATH: process.env['PATH'] },
  });
  const checks: unknown = (JSON.parse(stdout) as Record<string, unknown>)['checks'];
  expect(checks).toContainEqual(
    expect.objectContaining({
      name: 'memory',
      message: '512 MiB of memory, limited by the container.',
    }),
  );
  expect(await trial(server)).toEqual(success(1));
  expect(group.killCount()).toBe(0);
});

it('one processor is enough, and DuckDB takes one thread', async (context) => {
  const first = ['taskset', '--cpu-list', '0'];
  need(context, 'taskset', [...first, 'true']);
  await using server = await TestServer.start({ under: first });
  expect(engineLimitsOf(server)).toMatchObject({ threads: 1 });
  expect(await trial(server)).toEqual(success(1));
});

it('64 open files are enough', async () => {
  await using server = await TestServer.start({ under: afterScript('ulimit -n 64') });
  expect(await trial(server)).toEqual(success(1));
});
