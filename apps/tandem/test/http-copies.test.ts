import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { describe, expect, it } from 'vitest';
import { TandemClient } from '../src/http/client.ts';
import { HttpFixture, TOKEN } from './http-fixture.ts';
import { PRIMARY, REPLICA, ScriptedCopy, ScriptedNode } from './http-scripted-node.ts';
import { TemporaryFolder } from './supervise-fixture.ts';

/** The bytes of a database with one row. */
function databaseBytes(folder: TemporaryFolder, text: string): Buffer {
  const path = folder.file(`source-${text}.db`);
  const database = new DatabaseSync(path);
  database.exec('CREATE TABLE note (text TEXT)');
  database.prepare('INSERT INTO note (text) VALUES (?)').run(text);
  database.close();
  return readFileSync(path);
}

function noteIn(path: string): unknown {
  const database = new DatabaseSync(path);
  const row = database.prepare('SELECT text FROM note').get();
  database.close();
  return row?.['text'];
}

function clientOf(fixture: HttpFixture, token = TOKEN): TandemClient {
  return new TandemClient({ url: fixture.url, token, timeoutMs: 10_000 });
}

describe('GET /export', () => {
  it('sends the file with its length and position', async () => {
    const node = new ScriptedNode();
    const copy = new ScriptedCopy([Buffer.from('abc'), Buffer.from('de')]);
    node.onCopy = () => copy;
    await using fixture = await HttpFixture.open(node);
    const { status, headers, text } = await fixture.ask('/export?name=sub%2Fapp.db');
    expect([status, text]).toEqual([200, 'abcde']);
    expect(headers).toMatchObject({
      'content-type': 'application/vnd.sqlite3',
      'content-length': '5',
      'content-disposition': "attachment; filename*=UTF-8''app.db",
      'tandem-position': '3.0000000000000027',
    });
    expect(node.done).toEqual(['copy sub/app.db']);
    expect(copy.closeCount).toBe(1);
  });

  it('HEAD tells the length without making a copy', async () => {
    await using fixture = await HttpFixture.open();
    const { status, headers } = await fixture.ask('/export?name=app.db', { method: 'HEAD' });
    expect([status, headers['content-length']]).toEqual([200, '8192']);
    expect(fixture.node.done).toEqual([]);
    const unknown = await fixture.ask('/export?name=b.db', { method: 'HEAD' });
    expect(unknown.status).toBe(404);
  });

  it('is 404 with the names there are', async () => {
    await using fixture = await HttpFixture.open();
    const { status, json } = await fixture.ask('/export?name=b.db');
    expect([status, json['code'], json['hint']]).toEqual([
      404,
      'unknown_database',
      'It has: app.db.',
    ]);
    expect((await fixture.ask('/export')).json['error']).toBe("The parameter 'name' is missing.");
  });

  it('breaks off, rather than end, when the copy fails or has another length', async () => {
    const parts = [Buffer.alloc(100_000)];
    for (const copy of [
      new ScriptedCopy(parts, { isBroken: true, sizeBytes: 200_000 }),
      new ScriptedCopy(parts, { sizeBytes: 200_000 }),
      new ScriptedCopy(parts, { sizeBytes: 50_000 }),
      new ScriptedCopy([...parts, Buffer.from('one too many')], { sizeBytes: 100_000 }),
    ]) {
      const node = new ScriptedNode();
      node.onCopy = () => copy;
      await using fixture = await HttpFixture.open(node);
      await expect(fixture.ask('/export?name=app.db')).rejects.toThrow(/aborted|socket hang up/);
      expect(copy.closeCount).toBe(1);
      expect(fixture.logged).toHaveLength(1);
    }
  });

  it('lets go of the copy when the client leaves', async () => {
    const node = new ScriptedNode();
    const part = Buffer.alloc(1 << 20);
    const copy = new ScriptedCopy(Array.from({ length: 64 }, () => part));
    node.onCopy = () => copy;
    await using fixture = await HttpFixture.open(node);
    const answer = await fixture.begin('/export?name=app.db');
    expect(fixture.server.counts.exportsRunning).toBe(1);
    answer.destroy();
    await expect.poll(() => copy.closeCount).toBe(1);
    expect(fixture.server.counts.exportsRunning).toBe(0);
    expect(fixture.logged).toEqual([]);
  });

  it('lets go of a client who takes nothing', async () => {
    const node = new ScriptedNode();
    const part = Buffer.alloc(1 << 20);
    const copy = new ScriptedCopy(Array.from({ length: 64 }, () => part));
    node.onCopy = () => copy;
    await using fixture = await HttpFixture.open(node, { limits: { stallTimeoutMs: 20 } });
    const socket = await fixture.connect();
    socket.pause();
    socket.write(
      `GET /export?name=a HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer ${TOKEN}\r\n\r\n`,
    );
    await expect.poll(() => copy.closeCount).toBe(1);
    socket.destroy();
  });

  it('refuses more at a time than there may be', async () => {
    await using fixture = await HttpFixture.open(undefined, { limits: { exportsMax: 0 } });
    const { status, json, headers } = await fixture.ask('/export?name=app.db');
    expect([status, json['code'], headers['retry-after']]).toEqual([503, 'busy', '1']);
  });
});

describe('an export to a file', () => {
  const exporting = async (
    folder: TemporaryFolder,
    copy: ScriptedCopy | undefined,
    path = folder.file('out.db'),
  ): Promise<unknown> => {
    const node = new ScriptedNode();
    node.onCopy = () => copy;
    await using fixture = await HttpFixture.open(node);
    return await clientOf(fixture).exportTo({ name: 'app.db', path, check: 'quick' });
  };

  it('is the database, complete and checked', async () => {
    using folder = new TemporaryFolder();
    const bytes = databaseBytes(folder, 'new');
    const exported = await exporting(folder, new ScriptedCopy([bytes]));
    expect(exported).toEqual({ position: '3.0000000000000027', sizeBytes: bytes.length });
    expect(noteIn(folder.file('out.db'))).toBe('new');
    expect(readdirSync(folder.path).sort()).toEqual(['out.db', 'source-new.db']);
  });

  it('leaves the old file untouched whatever goes wrong', async () => {
    using folder = new TemporaryFolder();
    const old = databaseBytes(folder, 'old');
    const fresh = databaseBytes(folder, 'new');
    const scrambled = Buffer.from(fresh);
    scrambled.fill(7, 4096 + 8);
    const path = folder.file('out.db');
    writeFileSync(path, old);
    writeFileSync(`${path}-journal`, '');
    for (const [copy, code] of [
      [undefined, 'node_refused'],
      [new ScriptedCopy([fresh, fresh], { isBroken: true, sizeBytes: 30_000 }), 'export_damaged'],
      [new ScriptedCopy([Buffer.alloc(8192)]), 'export_damaged'],
      [new ScriptedCopy([fresh.subarray(0, 4096)]), 'export_damaged'],
      [new ScriptedCopy([fresh.subarray(0, 5000)]), 'export_damaged'],
      [new ScriptedCopy([scrambled]), 'export_damaged'],
    ] as const) {
      await expect(exporting(folder, copy)).rejects.toMatchObject({ code });
      expect(readFileSync(path)).toEqual(old);
      expect(readdirSync(folder.path).filter((name) => name.includes('export'))).toEqual([]);
    }
    expect(existsSync(`${path}-journal`)).toBe(true);
  });

  it('leaves the old file untouched when there is no node', async () => {
    using folder = new TemporaryFolder();
    const path = folder.file('out.db');
    writeFileSync(path, 'old');
    const fixture = await HttpFixture.open();
    await fixture.server.close();
    const exported = clientOf(fixture).exportTo({ name: 'app.db', path, check: 'quick' });
    await expect(exported).rejects.toMatchObject({ code: 'node_unreachable', retryable: true });
    expect(readFileSync(path, 'utf8')).toBe('old');
  });

  it('does not let the old file’s WAL become part of the new one', async () => {
    using folder = new TemporaryFolder();
    const path = folder.file('out.db');
    const old = new DatabaseSync(folder.file('live.db'));
    old.exec(
      "PRAGMA journal_mode = WAL; CREATE TABLE note (text TEXT); INSERT INTO note VALUES ('old')",
    );
    // As a killed program leaves it: everything is in the WAL.
    writeFileSync(path, readFileSync(folder.file('live.db')));
    writeFileSync(`${path}-wal`, readFileSync(folder.file('live.db-wal')));
    old.close();
    await exporting(folder, new ScriptedCopy([databaseBytes(folder, 'new')]));
    expect(noteIn(path)).toBe('new');
    expect(existsSync(`${path}-wal`)).toBe(false);
  });

  it('is refused while another program has the old file open', async () => {
    using folder = new TemporaryFolder();
    const path = folder.file('out.db');
    const other = new DatabaseSync(path);
    other.exec(
      "PRAGMA journal_mode = WAL; CREATE TABLE note (text TEXT); INSERT INTO note VALUES ('old')",
    );
    const exported = exporting(folder, new ScriptedCopy([databaseBytes(folder, 'new')]));
    await expect(exported).rejects.toMatchObject({ code: 'export_in_use' });
    expect(other.prepare('SELECT text FROM note').get()).toEqual({ text: 'old' });
    other.close();
    expect(noteIn(path)).toBe('old');
  });

  it('replaces an old file that is no database', async () => {
    using folder = new TemporaryFolder();
    const path = folder.file('out.db');
    writeFileSync(path, 'not a database, but long enough for SQLite to look at it'.repeat(100));
    writeFileSync(`${path}-wal`, 'nonsense');
    await exporting(folder, new ScriptedCopy([databaseBytes(folder, 'new')]));
    expect(noteIn(path)).toBe('new');
  });

  it('goes through a link, and not into a folder', async () => {
    using folder = new TemporaryFolder();
    writeFileSync(folder.file('real.db'), '');
    symlinkSync(folder.file('real.db'), folder.file('out.db'));
    await exporting(folder, new ScriptedCopy([databaseBytes(folder, 'new')]));
    expect(noteIn(folder.file('real.db'))).toBe('new');
    mkdirSync(folder.file('folder'));
    const copy = new ScriptedCopy([databaseBytes(folder, 'other')]);
    await expect(exporting(folder, copy, folder.file('folder'))).rejects.toMatchObject({
      code: 'export_failed',
    });
  });
});

describe('POST /import', () => {
  it('gives the node a file with exactly the bytes sent, and removes it', async () => {
    using folder = new TemporaryFolder();
    const bytes = databaseBytes(folder, 'new');
    await using fixture = await HttpFixture.open();
    const { status, json } = await fixture.ask('/import?name=sub/b.db', {
      method: 'POST',
      body: bytes,
    });
    expect([status, json]).toEqual([200, { name: 'sub/b.db', epoch: 3, txid: 40 }]);
    expect(fixture.node.imported).toEqual(bytes);
    expect(readdirSync(fixture.folder.file('uploads'))).toEqual([]);
  });

  it('refuses what is no database at its first bytes', async () => {
    await using fixture = await HttpFixture.open();
    for (const body of ['', 'SQLite format 3\0', 'PRAGMA foreign_keys=OFF;'.repeat(100)]) {
      const { status, json } = await fixture.ask('/import?name=a', { method: 'POST', body });
      expect([status, json['code']]).toEqual([400, 'not_a_database']);
    }
    expect(fixture.node.done).toEqual([]);
    expect(readdirSync(fixture.folder.file('uploads'))).toEqual([]);
  });

  it('refuses names that lead elsewhere or belong to a database', async () => {
    await using fixture = await HttpFixture.open();
    for (const name of ['../a', '/a', 'a/', 'a//b', '.a', 'a/.b', 'a\\b', 'a\nb', 'a-wal', '']) {
      const { status } = await fixture.ask(`/import?name=${encodeURIComponent(name)}`, {
        method: 'POST',
        body: 'x',
      });
      expect([name, status]).toEqual([name, 400]);
    }
    expect(fixture.node.done).toEqual([]);
  });

  it('refuses what is too large, announced or not', async () => {
    using folder = new TemporaryFolder();
    const body = databaseBytes(folder, 'new');
    const limits = { importBytesMax: body.length - 1 };
    await using fixture = await HttpFixture.open(undefined, { limits });
    for (const headers of [{}, { 'transfer-encoding': 'chunked' }]) {
      const reply = await fixture.ask('/import?name=a', { method: 'POST', body, headers });
      expect([reply.status, reply.json['code']]).toEqual([413, 'body_too_large']);
    }
    expect(readdirSync(fixture.folder.file('uploads'))).toEqual([]);
  });

  it('keeps nothing of an upload that breaks off', async () => {
    await using fixture = await HttpFixture.open();
    const socket = await fixture.connect();
    socket.write(
      `POST /import?name=a HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer ${TOKEN}\r\n` +
        'Content-Length: 9999\r\n\r\nSQLite format 3\0',
    );
    await expect.poll(() => fixture.server.counts.importsRunning).toBe(1);
    socket.destroy();
    await expect.poll(() => fixture.server.counts.importsRunning).toBe(0);
    expect(readdirSync(fixture.folder.file('uploads'))).toEqual([]);
    expect(fixture.node.done).toEqual([]);
    expect(fixture.logged).toEqual([]);
  });

  it('answers what the node says of the file', async () => {
    using folder = new TemporaryFolder();
    const body = databaseBytes(folder, 'new');
    await using fixture = await HttpFixture.open();
    fixture.node.onImport = async () => {
      throw Object.assign(new Error('no space left on device'), { code: 'ENOSPC' });
    };
    const { status, json } = await fixture.ask('/import?name=a', { method: 'POST', body });
    expect([status, json['code'], json['cause']]).toEqual([507, 'disk_full', 'ENOSPC']);
    expect(readdirSync(fixture.folder.file('uploads'))).toEqual([]);
  });

  it('removes at the start what a killed process left, and nothing else', async () => {
    using folder = new TemporaryFolder();
    for (const name of ['import-0123456789abcdef.tmp', 'import-notes.txt']) {
      writeFileSync(folder.file(name), '');
    }
    await using fixture = await HttpFixture.open(undefined, { importFolder: folder.path });
    expect(fixture.port).toBeGreaterThan(0);
    expect(readdirSync(folder.path)).toEqual(['import-notes.txt']);
  });
});

describe('an import from a file', () => {
  it('sends the whole database, the WAL included', async () => {
    using folder = new TemporaryFolder();
    const path = folder.file('live.db');
    const live = new DatabaseSync(path);
    live.exec(
      "PRAGMA journal_mode = WAL; CREATE TABLE note (text TEXT); INSERT INTO note VALUES ('new')",
    );
    await using fixture = await HttpFixture.open();
    const answer = await clientOf(fixture).importFrom({ name: 'b.db', path });
    live.close();
    expect(answer).toEqual({ name: 'b.db', epoch: 3, txid: 40 });
    const arrived = folder.file('arrived.db');
    writeFileSync(arrived, fixture.node.imported ?? '');
    expect(noteIn(arrived)).toBe('new');
  });

  it('is not sent at all to a node that refuses it', async () => {
    using folder = new TemporaryFolder();
    databaseBytes(folder, 'new');
    await using fixture = await HttpFixture.open(new ScriptedNode(REPLICA));
    const path = folder.file('source-new.db');
    await expect(clientOf(fixture).importFrom({ name: 'b.db', path })).rejects.toMatchObject({
      code: 'node_refused',
      nodeCode: 'not_primary',
      message: 'web-0 is not primary.',
      hint: 'Ask web-1 at http://web-1:20202.',
    });
    await expect(
      clientOf(fixture, 'wrong').importFrom({ name: 'b.db', path }),
    ).rejects.toMatchObject({ nodeCode: 'unauthorised', retryable: false });
  });

  it('refuses a file that is no database or is not there', async () => {
    using folder = new TemporaryFolder();
    writeFileSync(folder.file('dump.sql'), 'CREATE TABLE note (text TEXT);');
    await using fixture = await HttpFixture.open();
    for (const name of ['dump.sql', 'none.db']) {
      const imported = clientOf(fixture).importFrom({ name: 'b.db', path: folder.file(name) });
      await expect(imported).rejects.toMatchObject({ code: 'import_source' });
    }
  });
});

describe('the client', () => {
  it('reads state and changes the primary', async () => {
    await using fixture = await HttpFixture.open(new ScriptedNode(REPLICA));
    const client = clientOf(fixture);
    expect(await client.info()).toMatchObject({ role: 'replica' });
    expect(await client.status()).toMatchObject({ highestEpoch: 3 });
    expect(await client.promote()).toMatchObject({ isPrimary: true });
    fixture.node.state = PRIMARY;
    expect(await client.handOff('web-1')).toMatchObject({ primary: 'web-1' });
  });

  it('says when something else answers', async () => {
    await using fixture = await HttpFixture.open(undefined, {
      onUpgrade: () => false,
    });
    const client = new TandemClient({ url: `${fixture.url}/livez?`, timeoutMs: 1000 });
    await expect(client.info()).rejects.toMatchObject({ code: 'node_refused' });
  });
});
