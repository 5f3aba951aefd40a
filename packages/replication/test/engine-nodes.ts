import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { systemClock } from '@tandem/base';
import { Quarantine } from '../src/quarantine.ts';
import { ReplicatedDatabase, type ReplicatedDatabaseOptions } from '../src/replicated-database.ts';

/** Opens the database of a node whose home is that folder. */
export function openNode(
  home: string,
  options: Partial<ReplicatedDatabaseOptions> = {},
): ReplicatedDatabase {
  return new ReplicatedDatabase({
    name: 'app.db',
    path: pathIn(home),
    stateFolder: join(home, 'state'),
    quarantine: quarantineIn(home),
    clock: systemClock,
    busyTimeoutMs: 2000,
    sync: 'none',
    checkpointFrames: 40,
    checkpointPauseMs: 0,
    framesMax: 160,
    ...options,
  });
}

export function pathIn(home: string): string {
  return join(home, 'app.db');
}

export function quarantineIn(home: string): Quarantine {
  return new Quarantine(join(home, 'quarantine'));
}

/** Brings the replica to the primary's state as a stream would. */
export async function follow(
  primary: ReplicatedDatabase,
  replica: ReplicatedDatabase,
): Promise<'followed' | 'repaired'> {
  const own = replica.position().txid;
  const shared = primary.history().lastShared(replica.history(), own, primary.position().txid);
  if (own > shared) replica.quarantineAfter(shared);
  else if (shared > 0 && replica.pageSize() === primary.pageSize()) {
    replica.adoptHistory(primary.history());
    for (let txid = shared + 1; txid <= primary.position().txid;) {
      const file = primary.readFrom(txid);
      if (file === undefined) return repair(primary, replica);
      const epoch = primary.history().epochOf(file.maxTxid);
      replica.apply([{ ...file, epoch, history: primary.history() }]);
      txid = file.maxTxid + 1;
    }
    replica.adoptHistory(primary.history());
    return 'followed';
  }
  return repair(primary, replica);
}

/** Sends the pages that differ. */
export async function repair(
  primary: ReplicatedDatabase,
  replica: ReplicatedDatabase,
): Promise<'repaired'> {
  const view = primary.openView();
  try {
    const writer = replica.beginRepair(view);
    const page = new Uint8Array(view.pageSize);
    for (let group = 0; group * 1024 < view.pageCount; group += 1) {
      const [wanted, held] = [view.pageDigests(group), replica.pageDigests(group)];
      for (let at = 0; at < wanted.length; at += 16) {
        const isHeld =
          Buffer.compare(wanted.subarray(at, at + 16), held.subarray(at, at + 16)) === 0;
        if (isHeld) continue;
        const pgno = group * 1024 + at / 16 + 1;
        view.readPage(pgno, page);
        await writer.writePages(pgno, page);
      }
    }
    await writer.commit(view.digest);
    return 'repaired';
  } finally {
    view.close();
  }
}

/** An application's connection, with the table that tests write to. */
export function openApp(home: string, pageSize = 4096): DatabaseSync {
  const app = new DatabaseSync(pathIn(home), { timeout: 5000 });
  app.exec(`PRAGMA page_size=${pageSize}; PRAGMA journal_mode=wal; PRAGMA synchronous=OFF`);
  app.exec('CREATE TABLE IF NOT EXISTS item (id INTEGER PRIMARY KEY, text TEXT, pad BLOB)');
  return app;
}

/** What is wrong with the database on its own, as SQLite and the page table see it; '' if nothing. */
export function problemOf(node: ReplicatedDatabase): string {
  if (!node.isPresent) return '';
  const reader = new DatabaseSync(node.path, { readOnly: true });
  try {
    const check = reader.prepare('PRAGMA integrity_check').get();
    const text = String(check?.['integrity_check']);
    if (text !== 'ok') return text;
  } finally {
    reader.close();
  }
  const wrong = node.verify();
  return wrong === 0 ? '' : `${wrong} pages are not those of the table`;
}

/** The texts in the table, in any order. */
export function textsIn(home: string): string[] {
  const path = pathIn(home);
  if (!existsSync(path)) return [];
  const reader = new DatabaseSync(path, { readOnly: true });
  try {
    const table = reader.prepare(`SELECT 1 FROM sqlite_schema WHERE name = 'item'`).get();
    if (table === undefined) return [];
    return reader
      .prepare('SELECT text FROM item')
      .all()
      .map(({ text }) => String(text));
  } finally {
    reader.close();
  }
}

/** Whether both files, closed, are equal byte by byte. */
export function areFilesEqual(a: string, b: string): boolean {
  return readFileSync(pathIn(a)).equals(readFileSync(pathIn(b)));
}
