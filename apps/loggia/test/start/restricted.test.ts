import { chmodSync, chownSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { TestServer } from '../test-server.ts';
import { Mounts } from './mounts.ts';
import { success, trial } from './proof.ts';
import { SECCOMP } from './seccomp.ts';
import { AS_NOBODY, NOBODY, WorkFolder, need, needNobody, nested } from './surroundings.ts';

const CHECKOUT = fileURLToPath(new URL('../../../..', import.meta.url)).replace(/\/$/, '');

/**
 * Only `dataDir` may be written; the folder for temporary files is empty and closed, and the system
 * knows no time zones.
 */
function readOnlyExcept(dataDir: string): string {
  return [
    `mount --bind ${dataDir} ${dataDir}`,
    'mount -o remount,ro,bind /',
    ...emptyTemporaryFolder(),
    'mount -t tmpfs -o ro tmpfs /dev/shm',
    'if [ -d /usr/share/zoneinfo ]; then mount -t tmpfs -o ro tmpfs /usr/share/zoneinfo; fi',
  ].join('; ');
}

/** Hides what is in /tmp, but not the program itself, should it have been checked out there. */
function emptyTemporaryFolder(): string[] {
  if (!CHECKOUT.startsWith('/tmp/')) return ['mount -t tmpfs -o ro tmpfs /tmp'];
  return [
    `mount --bind ${CHECKOUT} /mnt`,
    'mount -t tmpfs tmpfs /tmp',
    `mkdir -p ${CHECKOUT}`,
    `mount --bind /mnt ${CHECKOUT}`,
    'mount -o remount,ro /tmp',
  ];
}

function dataFolderIn(folder: WorkFolder): string {
  const dataDir = join(folder.path, 'data');
  mkdirSync(dataDir);
  return dataDir;
}

it('a read-only root without temporary files, home or time zone data is enough', async (context) => {
  using folder = new WorkFolder();
  const dataDir = dataFolderIn(folder);
  using mounts = await Mounts.make(context, readOnlyExcept(dataDir));
  expect(() => mkdirSync(mounts.outside(join(folder.path, 'other')))).toThrow('EROFS');
  await using server = await TestServer.start({
    dataDir,
    under: mounts.under,
    env: { HOME: '/nonexistent', TMPDIR: '/nonexistent' },
  });
  expect(await trial(server)).toEqual(success(1));
});

it('a data folder on a read-only file system is refused in one sentence', async (context) => {
  using folder = new WorkFolder();
  const dataDir = dataFolderIn(folder);
  const script = `mount --bind ${dataDir} ${dataDir}; mount -o remount,ro,bind ${dataDir}`;
  using mounts = await Mounts.make(context, script);
  const { code, output } = await TestServer.refusal({ dataDir, under: mounts.under });
  expect({ code, output }).toEqual({
    code: 2,
    output:
      `loggia: The data folder ${dataDir} cannot be written: it lies on a read-only file system.\n` +
      'Mount a writable volume there, or choose another folder with --data-dir or LOGGIA_DATA_DIR.\n',
  });
});

it('a restricted pod starts: read-only root, uid 65532, no capabilities, no new privileges', async (context) => {
  needNobody(context);
  using folder = new WorkFolder();
  const dataDir = dataFolderIn(folder);
  chmodSync(folder.path, 0o755);
  chownSync(dataDir, NOBODY, NOBODY);
  using mounts = await Mounts.make(context, readOnlyExcept(dataDir));
  const start = (): Promise<TestServer> =>
    TestServer.start({
      dataDir,
      under: nested(mounts.under, AS_NOBODY),
      env: { HOME: '/' },
    });
  await using first = await start();
  expect(await trial(first)).toEqual(success(1));
  await using again = await start();
  expect(await trial(again)).toEqual(success(2));
});

it('a system call filter as containers have it by default is enough', async (context) => {
  need(context, 'seccomp', [...SECCOMP, 'true']);
  await using server = await TestServer.start({ under: SECCOMP });
  expect(await trial(server)).toEqual(success(1));
});
