import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { fileURLToPath } from 'node:url';
import { afterEach, expect, test } from 'vitest';
import { DaemonProcess, until } from './daemon-process.ts';

const PROGRAM = fileURLToPath(new URL('../bin/tandem.js', import.meta.url));
const cleanups: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup();
});

function tandem(...words: readonly string[]): { code: number | null; output: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, [PROGRAM, ...words], {
    encoding: 'utf8',
  });
  return { code: status, output: stdout + stderr };
}

function count(path: string): unknown {
  const database = new DatabaseSync(path, { readOnly: true });
  try {
    return database.prepare('SELECT count(*) AS rows FROM note').get()?.['rows'];
  } finally {
    database.close();
  }
}

test('a database comes back as it was last, after a transaction, and at a moment', async () => {
  const home = mkdtempSync(join(tmpdir(), 'tandem-restore-'));
  cleanups.push(() => rmSync(home, { recursive: true, force: true }));
  const backup = join(home, 'backup');
  const settings = [`backup: {url: ${backup}, interval: 100ms}`];
  const options = { name: 'one', folder: join(home, 'one'), settings, application: [] };
  const node = DaemonProcess.start(options, await DaemonProcess.ports());
  cleanups.push(() => node.kill());
  await until(async () => (await node.info())['isPrimary'] === true, 'a primary');
  const path = join(node.databases, 'app.db');
  const application = new DatabaseSync(path);
  application.exec('PRAGMA journal_mode=WAL; CREATE TABLE note (text TEXT)');
  const from = `--from=${backup}`;
  const isUploaded = (rows: number) => (): boolean => {
    const output = join(home, `probe-${rows}.db`);
    rmSync(output, { force: true });
    return tandem('restore', 'app.db', output, from).code === 0 && count(output) === rows;
  };
  await until(isUploaded(0), 'the table in the backup');
  application.exec(`INSERT INTO note VALUES ('one')`);
  await until(isUploaded(1), 'the first row in the backup');
  const info = (await node.info())['databases'] as Record<string, { readonly txid: number }>;
  const txid = info['app.db']?.txid ?? 0;
  const moment = new Date().toISOString();
  await until(() => new Date().toISOString() > moment, 'the next millisecond');
  application.exec('DELETE FROM note');
  application.close();
  await until(isUploaded(0), 'the deletion in the backup');

  const restored = (name: string, ...words: readonly string[]): unknown => {
    const output = join(home, name);
    expect(tandem('restore', 'app.db', output, from, ...words)).toMatchObject({ code: 0 });
    return count(output);
  };
  expect(restored('last.db')).toBe(0);
  expect(restored('moment.db', `--time=${moment}`)).toBe(1);
  expect(restored('transaction.db', `--txid=${txid}`)).toBe(1);
  expect(tandem('restore', 'app.db', join(home, 'last.db'), from)).toMatchObject({ code: 1 });
  expect(restored('last.db', '--force', `--txid=${txid}`)).toBe(1);
  expect(tandem('verify', 'app.db', from)).toMatchObject({
    code: 0,
    output: expect.stringContaining('The backup is sound.') as string,
  });
  expect(tandem('restore', 'app.db', join(home, 'none.db'), from, '--txid=999')).toMatchObject({
    code: 1,
  });
});
