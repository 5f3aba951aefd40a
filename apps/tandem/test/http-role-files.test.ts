import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { RoleFileWriter } from '../src/http/role-file-writer.ts';
import { DATABASE, OTHER, PRIMARY, REPLICA, ScriptedNode } from './http-scripted-node.ts';
import { TemporaryFolder } from './supervise-fixture.ts';

class Fixture {
  readonly folder = new TemporaryFolder();
  readonly node: ScriptedNode;
  readonly writer: RoleFileWriter;
  readonly errors: unknown[] = [];
  readonly #stop = new AbortController();

  constructor(node: ScriptedNode, folder?: string) {
    this.node = node;
    this.writer = new RoleFileWriter({
      node,
      folder: folder ?? this.folder.path,
      intervalMs: 60_000,
      onError: (error) => this.errors.push(error),
    });
  }

  read(name: string): string | undefined {
    const path = this.folder.file(name);
    return existsSync(path) ? readFileSync(path, 'utf8') : undefined;
  }

  run(): Promise<void> {
    return this.writer.run(this.#stop.signal);
  }

  stop(): void {
    this.#stop.abort();
  }

  [Symbol.dispose](): void {
    this.#stop.abort();
    this.folder[Symbol.dispose]();
  }
}

it('the files are there while the node runs, and gone when it stops', async () => {
  using fixture = new Fixture(new ScriptedNode(REPLICA));
  const run = fixture.run();
  await expect.poll(() => fixture.read('app.db-pos')).toBeDefined();
  expect(readdirSync(fixture.folder.path).sort()).toEqual(['.lag', '.primary', 'app.db-pos']);
  fixture.stop();
  await run;
  expect(readdirSync(fixture.folder.path)).toEqual([]);
  expect(fixture.node.listenerCount).toBe(0);
});

it('a change of the role is told at once', async () => {
  using fixture = new Fixture(new ScriptedNode(PRIMARY));
  writeFileSync(fixture.folder.file('.primary'), 'of a process that was killed\n');
  const run = fixture.run();
  await expect.poll(() => fixture.read('app.db-pos')).toBeDefined();
  expect(fixture.read('.primary')).toBeUndefined();
  fixture.node.state = { ...REPLICA, primary: OTHER };
  fixture.node.emit({ kind: 'role' });
  await expect.poll(() => fixture.read('.primary')).toBe('web-1\n');
  fixture.node.state = PRIMARY;
  fixture.node.emit({ kind: 'role' });
  await expect.poll(() => fixture.read('.primary')).toBeUndefined();
  fixture.stop();
  await run;
});

it('the position’s file is as old as the transaction, also in a folder', async () => {
  const database = { ...DATABASE, name: 'tenants/a.db' };
  using fixture = new Fixture(new ScriptedNode({ ...PRIMARY, databases: [database] }));
  await fixture.writer.refresh();
  expect(fixture.read('tenants/a.db-pos')).toBe('0000000000000027/83b05248774ce767\n');
  expect(statSync(fixture.folder.file('tenants/a.db-pos')).mtimeMs).toBe(database.changedAtMs);
  fixture.node.state = { ...PRIMARY, databases: [] };
  await fixture.writer.refresh();
  expect(fixture.read('tenants/a.db-pos')).toBeUndefined();
});

it('a folder that cannot be written is reported, and tried again', async () => {
  using parent = new TemporaryFolder();
  writeFileSync(parent.file('file'), '');
  using fixture = new Fixture(new ScriptedNode(PRIMARY), parent.file('file/below'));
  await fixture.writer.refresh();
  await fixture.writer.refresh();
  expect(fixture.errors.map((error) => Object(error).code)).toEqual(Array(4).fill('ENOTDIR'));
});
