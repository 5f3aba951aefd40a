import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { createInterface } from 'node:readline';
import { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { describe, expect, it, test } from 'vitest';
import { APPLICATION, DaemonFixture, needProgram, notes, post } from './daemon-fixture.ts';
import { DaemonProcess, TOKEN, until } from './daemon-process.ts';
import { EtcdProcess } from './etcd-process.ts';

/** What LiteFS tests of its daemon from outside, with titles in its words. */

const PROGRAM = fileURLToPath(new URL('../bin/tandem.js', import.meta.url));
const fixture = new DaemonFixture();

function pairOf(nodes: readonly DaemonProcess[]): [DaemonProcess, DaemonProcess] {
  const [one, two] = nodes;
  if (one === undefined || two === undefined) throw new RangeError('there are two nodes');
  return [one, two];
}

/** Runs a command of the command line against a node. */
function tandem(node: DaemonProcess, ...words: readonly string[]): ReturnType<typeof spawnSync> {
  const flags = [`--url=http://127.0.0.1:${node.ports.api}`, `--token=${TOKEN}`];
  return spawnSync(process.execPath, [PROGRAM, ...words, ...flags], { encoding: 'utf8' });
}

/** The first event of that kind that a node tells after `act`. */
async function eventAfter(
  node: DaemonProcess,
  type: string,
  act: () => Promise<unknown>,
): Promise<Readonly<Record<string, unknown>>> {
  const answer = await fetch(`http://127.0.0.1:${node.ports.api}/events`, {
    headers: { authorization: `Bearer ${TOKEN}` },
  });
  if (answer.body === null) throw new Error('there are no events');
  const input = Readable.fromWeb(answer.body);
  input.on('error', () => {});
  const lines = createInterface({ input });
  try {
    let hasActed = false;
    for await (const line of lines) {
      if (line === '' || line.startsWith(':')) continue;
      const event = JSON.parse(line) as Readonly<Record<string, unknown>>;
      if (event['type'] === 'init' && !hasActed) {
        hasActed = true;
        await act();
      }
      if (event['type'] === type) return event;
    }
    throw new Error('the events ended');
  } finally {
    lines.close();
    input.destroy();
  }
}

describe('an application whose database is in journal mode', () => {
  it.each(['delete', 'persist', 'truncate', 'memory', 'wal'])(
    '%s is taken in and replicated',
    async (mode) => {
      const folder = fixture.folder();
      mkdirSync(join(folder, 'databases'));
      const path = join(folder, 'databases/app.db');
      const database = new DatabaseSync(path);
      database.exec(
        `PRAGMA journal_mode=${mode}; CREATE TABLE note (id INTEGER PRIMARY KEY, text)`,
      );
      database.exec(`INSERT INTO note (text) VALUES ('before')`);
      database.close();
      const node = await fixture.one([], { folder });
      expect(await post(node, 'after')).toBe(201);
      expect(await notes(node)).toEqual(['before', 'after']);
      const info = (await node.info()) as { databases: Record<string, { txid: number }> };
      expect(info.databases['app.db']?.txid).toBe(2);
    },
  );

  it('delete is refused with the sentence that says how, where that is the setting', async () => {
    const folder = fixture.folder();
    mkdirSync(join(folder, 'databases'));
    const path = join(folder, 'databases/old.db');
    const database = new DatabaseSync(path);
    database.exec('CREATE TABLE t (a)');
    database.close();
    const node = await fixture.one([], {
      folder,
      env: { TANDEM_DATABASES_JOURNAL_MODE: 'refuse' },
    });
    await until(() => node.log.includes('cannot replicate old.db'), 'the refusal');
    expect(node.log).toContain(`Run sqlite3 ${path} 'PRAGMA journal_mode=WAL'`);
  });
});

describe('two nodes with a static lease', () => {
  test('static leaser: the primary restarts, and the replica reconnects', async () => {
    const { nodes, restart } = await fixture.staticPair();
    const [one, two] = pairOf(nodes);
    expect(await post(one, 'before')).toBe(201);
    await until(async () => (await notes(two)).length === 1, 'replicated');
    expect(await one.terminate()).toBe(143);
    await until(async () => (await two.info())['stream'] !== 'following', 'it is alone');
    const again = await restart(0).ready();
    expect(await post(two, 'after')).toBe(201);
    await until(async () => (await notes(two)).length === 2, 'replicated again');
    expect(await notes(again)).toEqual(['before', 'after']);
  });

  test('events: a tx on the primary, and the same tx on the replica', async () => {
    const { nodes } = await fixture.staticPair();
    const [one, two] = pairOf(nodes);
    expect(await post(one, 'first')).toBe(201);
    await until(async () => (await notes(two)).length === 1, 'replicated');
    let onPrimary: Readonly<Record<string, unknown>> = {};
    const onReplica = await eventAfter(two, 'tx', async () => {
      onPrimary = await eventAfter(one, 'tx', () => post(one, 'second'));
    });
    expect(onPrimary).toMatchObject({
      type: 'tx',
      db: 'app.db',
      data: {
        txID: expect.stringMatching(/^[\da-f]{16}$/),
        postApplyChecksum: expect.stringMatching(/^[\da-f]{16}$/),
        pageSize: 4096,
        commit: expect.any(Number),
        timestamp: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/),
      },
    });
    expect(onReplica['data']).toEqual(onPrimary['data']);
  });

  test('export ok, import creates and overwrites, and an unknown database is an error', async () => {
    const { nodes } = await fixture.staticPair();
    const [one, two] = pairOf(nodes);
    const folder = fixture.folder();
    expect(await post(one, 'exported')).toBe(201);
    await until(async () => (await notes(two)).length === 1, 'replicated');
    const copy = join(folder, 'copy.db');
    expect(tandem(two, 'export', 'app.db', copy).status).toBe(0);
    expect(execFileSync('sqlite3', [copy, 'SELECT text FROM note'], { encoding: 'utf8' })).toBe(
      'exported\n',
    );
    const before = readFileSync(copy);
    const unknown = tandem(one, 'export', 'nothing.db', copy);
    expect([unknown.status, unknown.stderr]).toEqual([1, expect.stringContaining('nothing.db')]);
    expect(readFileSync(copy).equals(before)).toBe(true);
    expect(tandem(one, 'import', 'new.db', copy).status).toBe(0);
    expect(await notes(one, '/new')).toEqual(['exported']);
    expect(await post(one, 'to be overwritten')).toBe(201);
    expect(tandem(one, 'import', 'app.db', copy).status).toBe(0);
    expect(await notes(one)).toEqual(['exported']);
    await until(async () => (await notes(two)).length === 1, 'the replica has it');
    expect(tandem(two, 'import', 'app.db', copy).status).toBe(1);
  });

  test('a HALT lock is refused on every path, with what replaces it', async () => {
    const node = await fixture.one();
    for (const [method, path] of [
      ['POST', '/halt?name=app.db&id=1'],
      ['DELETE', '/halt?name=app.db&id=1'],
      ['POST', '/tx?name=app.db'],
      ['POST', '/stream'],
    ] as const) {
      expect(await node.ask(method, path)).toMatchObject({
        code: 'replaced',
        hint: expect.stringMatching(/tandem/i),
      });
    }
  });
});

describe('two nodes with a lease that moves', () => {
  test('auto-promotion: a candidate with `promote` becomes primary when it has caught up', async (context) => {
    needProgram(context, 'etcd');
    const etcd = await EtcdProcess.start();
    fixture.onEnd(() => etcd[Symbol.asyncDispose]());
    const lease = (promote: boolean): string =>
      `lease: {type: etcd, promote: ${promote}, duration: 3s, ` +
      `etcd: {endpoints: ["${etcd.url}"], prefix: /test}}`;
    const start = async (name: string, promote: boolean): Promise<DaemonProcess> => {
      const base = { name, folder: fixture.folder(), application: APPLICATION };
      const options = { ...base, settings: [lease(promote)] };
      const node = DaemonProcess.start(options, await DaemonProcess.ports());
      fixture.onEnd(() => node.kill());
      return node.ready();
    };
    const one = await start('one', false);
    expect(await post(one, 'kept')).toBe(201);
    const two = await start('two', true);
    expect(await two.info()).toMatchObject({ isPrimary: true });
    expect(await notes(two)).toEqual(['kept']);
    await until(async () => (await one.info())['role'] === 'replica', 'the old one follows');
    expect(existsSync(join(one.databases, '.primary'))).toBe(true);

    // A migration on whichever node: it has the right to write while it runs, and gives it back.
    const script = `const d = new (require('node:sqlite').DatabaseSync)(process.argv[1]);
      d.exec("INSERT INTO note (text) VALUES ('migrated')"); process.exit(7)`;
    const migration = [process.execPath, '-e', script, join(one.databases, 'app.db')];
    const flags = [`--url=http://127.0.0.1:${one.ports.api}`, `--token=${TOKEN}`];
    const ran = spawnSync(
      process.execPath,
      [PROGRAM, 'run', '--with-write-lock', '--return', ...flags, '--', ...migration],
      { encoding: 'utf8' },
    );
    expect([ran.status, ran.stderr]).toEqual([7, '']);
    await until(async () => (await two.info())['isPrimary'] === true, 'it is given back');
    await until(async () => (await notes(two)).length === 2, 'replicated');
  });
});
