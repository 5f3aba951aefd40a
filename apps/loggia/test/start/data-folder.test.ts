import { chmodSync, chownSync, mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { TestServer } from '../test-server.ts';
import { addSite, countPageviews, sendPageview, success, trial } from './proof.ts';
import { AS_NOBODY, NOBODY, WorkFolder, needNobody } from './surroundings.ts';

const RESTARTS = 10;

it('a clean folder starts, and starts again ten times with everything that was sent', async () => {
  using folder = new WorkFolder();
  const dataDir = join(folder.path, 'made', 'at', 'start');
  for (let round = 0; round <= RESTARTS; round += 1) {
    await using server = await TestServer.start({ dataDir });
    expect(await trial(server)).toEqual(success(round + 1));
  }
  expect(readdirSync(dataDir)).not.toContain('journal.db-wal');
}, 400_000);

it('two starts at once on one clean folder both work and see the same', async () => {
  using folder = new WorkFolder();
  const dataDir = join(folder.path, 'data');
  const [first, second] = await Promise.all([
    TestServer.start({ dataDir }),
    TestServer.start({ dataDir }),
  ]);
  await using one = first;
  await using other = second;
  const key = addSite(one);
  await sendPageview(one);
  await sendPageview(other);
  expect(await countPageviews(one, key)).toBe(2);
  expect((await one.stop()).code).toBe(0);
  expect(await trial(other)).toEqual(success(3));
});

it('a folder of another user is refused with who, whose and what to do', async (context) => {
  needNobody(context);
  using folder = new WorkFolder();
  const dataDir = join(folder.path, 'data');
  chmodSync(folder.path, 0o755);
  mkdirSync(dataDir);
  chmodSync(dataDir, 0o755);
  const { code, output } = await TestServer.refusal({ dataDir, under: AS_NOBODY });
  expect({ code, output }).toEqual({
    code: 2,
    output:
      `loggia: The data folder ${dataDir} cannot be written by uid ${NOBODY}, gid ${NOBODY}: it ` +
      'belongs to uid 0, gid 0 with mode 0755.\n' +
      `Run 'chown ${NOBODY}:${NOBODY} ${dataDir}' as root, set fsGroup: ${NOBODY} in the pod's ` +
      'securityContext on Kubernetes, or choose another folder with --data-dir or LOGGIA_DATA_DIR.\n',
  });
  expect(readdirSync(dataDir)).toEqual([]);
});

it('a folder that everybody may write is enough', async (context) => {
  needNobody(context);
  using folder = new WorkFolder();
  const dataDir = join(folder.path, 'data');
  chmodSync(folder.path, 0o755);
  mkdirSync(dataDir);
  chmodSync(dataDir, 0o777);
  await using server = await TestServer.start({ dataDir, under: AS_NOBODY });
  expect(await trial(server)).toEqual(success(1));
});

it('files of another user are refused by name, and taken once they are given over', async (context) => {
  needNobody(context);
  using folder = new WorkFolder();
  const dataDir = join(folder.path, 'data');
  chmodSync(folder.path, 0o755);
  {
    await using server = await TestServer.start({ dataDir });
    expect(await trial(server)).toEqual(success(1));
  }
  chownSync(dataDir, NOBODY, NOBODY);
  const { code, output } = await TestServer.refusal({ dataDir, under: AS_NOBODY });
  expect({ code, output }).toEqual({
    code: 2,
    output:
      `loggia: ${join(dataDir, 'journal.db')} cannot be written by uid ${NOBODY}, gid ${NOBODY} ` +
      '(EACCES): it belongs to uid 0, gid 0 with mode 0644.\n' +
      `Run 'chown -R ${NOBODY}:${NOBODY} ${dataDir}' as root, or start as the user that made the ` +
      'file.\n',
  });
  for (const name of readdirSync(dataDir)) chownSync(join(dataDir, name), NOBODY, NOBODY);
  await using server = await TestServer.start({ dataDir, under: AS_NOBODY });
  expect(await trial(server)).toEqual(success(2));
});
