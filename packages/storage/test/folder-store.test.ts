import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, afterAll, describe, expect, it } from 'vitest';
import { openStore } from '@tandem/storage';
import { collected, failureOf } from './collected.ts';
import { storeConformance } from './store-conformance.ts';
import { TemporaryFolder } from './temporary-folder.ts';

const folders: TemporaryFolder[] = [];
afterAll(() => {
  for (const folder of folders) folder[Symbol.dispose]();
});

function newFolder(): TemporaryFolder {
  const folder = new TemporaryFolder();
  folders.push(folder);
  return folder;
}

storeConformance({
  name: 'a folder',
  make: async () => openStore(newFolder().path),
  conditionalWrites: 'honoured',
  largeBytes: 2_000_000,
  listsMarkup: true,
});

describe('a folder', () => {
  it('is made when first written to, not when read', async () => {
    const path = newFolder().file('not/yet/there');
    const store = openStore(path);
    expect(await collected(store.list(''))).toEqual([]);
    expect(existsSync(path)).toBe(false);
    await store.put('db/file', Buffer.from('x'));
    expect(statSync(`${path}/db/file`).size).toBe(1);
  });

  it('B4: has the time that was told as the time of the file, as Litestream reads it', async () => {
    const folder = newFolder();
    const createdMs = Date.UTC(2024, 0, 2, 3, 4, 5);
    await openStore(folder.path).put('db/ltx/0/file', Buffer.from('x'), { createdMs });
    expect(statSync(folder.file('db/ltx/0/file')).mtimeMs).toBe(createdMs);
  });

  it('B1: does not show what is being written, or what a killed writer left', async () => {
    const folder = newFolder();
    const store = openStore(folder.path);
    const { promise: looked, resolve: look } = Promise.withResolvers<void>();
    const { promise: begun, resolve: begin } = Promise.withResolvers<void>();
    const chunks = async function* (): AsyncGenerator<Uint8Array> {
      yield Buffer.from('half');
      begin();
      await looked;
      yield Buffer.from('done');
    };
    const put = store.put('file', { sizeBytes: 8, chunks: chunks() });
    await begun;
    expect(await collected(store.list(''))).toEqual([]);
    expect(existsSync(folder.file('file'))).toBe(false);
    look();
    await put;
    expect((await collected(store.list(''))).map(({ key }) => key)).toEqual(['file']);
  });

  it('removes what a killed writer left a day ago, and nothing younger', async () => {
    const folder = newFolder();
    mkdirSync(folder.file('.tandem-tmp'));
    writeFileSync(folder.file('.tandem-tmp/left'), 'half');
    await openStore(folder.path).put('a', Buffer.from('x'));
    expect(readdirSync(folder.file('.tandem-tmp'))).toEqual(['left']);
    const clock = { nowMs: () => Date.now() + 25 * 3_600_000 };
    await openStore(folder.path, { clock }).put('b', Buffer.from('x'));
    expect(readdirSync(folder.file('.tandem-tmp'))).toEqual([]);
  });

  it('lists no links and no names that are no keys', async () => {
    const folder = newFolder();
    writeFileSync(folder.file('good'), 'x');
    writeFileSync(folder.file('bad\\name'), 'x');
    symlinkSync(folder.file('good'), folder.file('link'));
    expect((await collected(openStore(folder.path).list(''))).map(({ key }) => key)).toEqual([
      'good',
    ]);
  });

  it('says when a name is an object and a folder at once', async () => {
    const store = openStore(newFolder().path);
    await store.put('a/b', Buffer.from('x'));
    const failures = [
      store.put('a', Buffer.from('x')),
      store.put('a/b/c', Buffer.from('x')),
      store.putIfAbsent('a', Buffer.from('x')),
    ];
    for (const failure of await Promise.all(failures.map(failureOf))) {
      expect(failure.code).toBe('storage_key_invalid');
      expect(failure.hint).toContain('move one of them away');
    }
    expect((await collected(store.list(''))).map(({ key }) => key)).toEqual(['a/b']);
  });

  it('says when the store is a file', async () => {
    const folder = newFolder();
    writeFileSync(folder.file('file'), 'x');
    const failure = await failureOf(openStore(folder.file('file')).check());
    expect(failure.message).toContain(folder.path);
    expect(failure.code).toBe('storage_key_invalid');
  });

  it('B1: keeps the old object, and no part of the new one, when the disk is full', (context) => {
    const outcome = writeInMount(context, 'size=1m');
    expect(outcome).toMatchObject({ files: ['/file'], sizeBytes: 3 });
    expect(outcome.failures).toEqual([
      { code: 'storage_full', hint: expect.stringContaining('Free space'), retryable: true },
    ]);
  });

  it('says what to do when the folder is read-only', (context) => {
    const hint = expect.stringContaining('Mount the volume writable') as unknown;
    const failure = { code: 'storage_denied', hint, retryable: false };
    expect(writeInMount(context, 'ro')).toEqual({ failures: [failure, failure], files: [] });
  });
});

/** Lets a program of its own write into a small or read-only file system that only it sees. */
function writeInMount(context: TestContext, option: string): Record<string, unknown> {
  const folder = newFolder();
  const script = `mount -t tmpfs -o ${option} tmpfs "$1" && exec "$2" "$3" "$1"`;
  const program = join(import.meta.dirname, 'write-in-folder.ts');
  const command = ['sh', '-c', script, 'sh', folder.path, process.execPath, program];
  const options = process.getuid?.() === 0 ? [] : ['--map-root-user'];
  const run = spawnSync('unshare', ['--mount', ...options, ...command], { encoding: 'utf8' });
  if (run.error !== undefined || run.stdout === '')
    return context.skip(`needs mount: ${run.stderr}`);
  return JSON.parse(run.stdout) as Record<string, unknown>;
}
