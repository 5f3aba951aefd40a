import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import type { TestNode } from './cluster.ts';

/** Programs with their own connections to the databases of test nodes. */
export class TestApps {
  readonly #open: DatabaseSync[] = [];

  open(node: TestNode, name = 'app.db'): DatabaseSync {
    const opened = new DatabaseSync(join(node.folder, name), { timeout: 0 });
    this.#open.push(opened);
    return opened;
  }

  /** Makes a database with one table. */
  create(node: TestNode, name = 'app.db'): DatabaseSync {
    const opened = this.open(node, name);
    opened.exec('PRAGMA journal_mode=wal; CREATE TABLE item (id INTEGER PRIMARY KEY, text TEXT)');
    return opened;
  }

  texts(node: TestNode, name = 'app.db'): unknown[] {
    const reader = this.open(node, name);
    return reader
      .prepare('SELECT text FROM item ORDER BY id')
      .all()
      .map(({ text }) => text);
  }

  close(): void {
    for (const opened of this.#open.splice(0)) if (opened.isOpen) opened.close();
  }
}

/** Adds one row. */
export function insert(into: DatabaseSync, text: string): void {
  into.prepare('INSERT INTO item (text) VALUES (?)').run(text);
}

/** Whether both nodes have the same database of that name, with all that is committed on the first. */
export function inStep(a: TestNode, b: TestNode, name = 'app.db'): boolean {
  a.node.capture();
  const [first, second] = [a, b].map(({ node }) => node.databases.get(name));
  return first?.isPresent === true && first.digest() === second?.digest();
}
