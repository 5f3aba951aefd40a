import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { decodeLtx } from '@tandem/ltx';
import { describe, expect, test } from 'vitest';
import { LtxRewriter, storedChecksums, storedHeader } from '../src/backup-state.ts';
import { restoreDatabase, type RestoreProgress } from '../src/restore.ts';
import { verifyBackup } from '../src/backup-verify.ts';
import { FaultyStore } from './backup-faults.ts';
import { BackupWorld, PREFIX, type BackupNode } from './backup-node.ts';

/** A database of some states, each in its own file. */
async function backedUp(world: BackupWorld, states = 5): Promise<BackupNode> {
  const node = world.node();
  node.database.becomePrimary(1);
  const backup = node.backup();
  await backup.upload();
  for (let count = 1; count < states; count += 1) {
    world.clock.advance(1000);
    node.write('p'.repeat(2000));
    await backup.upload();
  }
  return node;
}

function key(txid: number, level = 0): string {
  const hex = txid.toString(16).padStart(16, '0');
  return `${PREFIX}/ltx/${level}/${level === 9 ? '0000000000000001' : hex}-${hex}.ltx`;
}

async function damage(world: BackupWorld, name: string): Promise<void> {
  const bytes = Buffer.from(await world.store.get(name));
  bytes.writeUInt8(bytes.readUInt8(150) ^ 0x40, 150);
  await world.store.put(name, bytes);
}

describe('a restore', () => {
  test('gives a database in WAL mode that can be written to', async () => {
    using world = new BackupWorld();
    await backedUp(world);
    const outputPath = world.path('out.db');
    const { store } = world;
    const target = { kind: 'latest' } as const;
    const report = await restoreDatabase({ store, databasePrefix: PREFIX, target, outputPath });
    expect(report).toMatchObject({ txid: 5, generation: 1, setAside: [], damaged: [] });
    expect(report.pageCount * report.pageSize).toBe(readFileSync(outputPath).length);
    const database = new DatabaseSync(outputPath);
    try {
      expect(database.prepare('PRAGMA journal_mode').get()).toEqual({ journal_mode: 'wal' });
      expect(database.prepare('PRAGMA integrity_check').get()).toEqual({ integrity_check: 'ok' });
      expect(database.prepare('SELECT COUNT(*) AS count FROM item').get()).toEqual({ count: 4 });
      database.exec(`INSERT INTO item (text) VALUES ('more')`);
    } finally {
      database.close();
    }
  });

  test('refuses to replace a database, and with force sets it aside with its log', async () => {
    using world = new BackupWorld();
    const node = await backedUp(world);
    const outputPath = world.path('out.db');
    for (const suffix of ['', '-wal', '-shm', '-journal']) {
      writeFileSync(outputPath + suffix, `old${suffix}`);
    }
    await expect(world.latest({ outputPath })).rejects.toMatchObject({
      code: 'restore_target_exists',
      hint: expect.stringContaining('force') as unknown,
    });
    expect(readFileSync(outputPath, 'utf8')).toBe('old');
    const { store } = world;
    const source = { store, databasePrefix: PREFIX, target: { kind: 'latest' } } as const;
    const { setAside } = await restoreDatabase({ ...source, outputPath, force: true });
    expect(setAside.map((path) => path.replace(world.folder, ''))).toEqual([
      '/.out.db.before-restore-1',
      '/.out.db.before-restore-1-journal',
      '/.out.db.before-restore-1-wal',
      '/.out.db.before-restore-1-shm',
    ]);
    expect(setAside.map((path) => readFileSync(path, 'utf8'))).toEqual([
      'old',
      'old-journal',
      'old-wal',
      'old-shm',
    ]);
    expect(readFileSync(outputPath).equals(node.copy())).toBe(true);
    const again = await restoreDatabase({ ...source, outputPath, force: true });
    expect(again.setAside).toEqual([join(world.folder, '.out.db.before-restore-2')]);
    expect(readdirSync(world.folder).filter((name) => name.startsWith('out.db'))).toEqual([
      'out.db',
    ]);
  });

  test('sets a stale log aside that would spoil the new database', async () => {
    using world = new BackupWorld();
    const node = await backedUp(world);
    const outputPath = world.path('out.db');
    writeFileSync(`${outputPath}-wal`, 'stale');
    expect((await world.restore({ kind: 'latest' })).report.setAside).toEqual([]);
    const { store } = world;
    const target = { kind: 'latest' } as const;
    const { setAside } = await restoreDatabase({
      store,
      databasePrefix: PREFIX,
      target,
      outputPath,
    });
    expect(setAside).toEqual([`${world.folder}/.out.db.before-restore-1-wal`]);
    expect(existsSync(`${outputPath}-wal`)).toBe(false);
    expect(readFileSync(outputPath).equals(node.copy())).toBe(true);
  });

  test('tells how far it is', async () => {
    using world = new BackupWorld();
    await backedUp(world, 3);
    const seen: RestoreProgress[] = [];
    await world.restore({ kind: 'latest' }, { onProgress: (progress) => seen.push(progress) });
    const { bytesTotal = 0 } = seen[0] ?? {};
    expect(seen.map(({ phase, filesDone, filesTotal }) => [phase, filesDone, filesTotal])).toEqual([
      ['apply', 0, 3],
      ['apply', 1, 3],
      ['apply', 2, 3],
      ['check', 3, 3],
    ]);
    expect(seen.at(-1)?.bytesDone).toBe(bytesTotal);
  });

  test('can be called off, and leaves nothing', async () => {
    using world = new BackupWorld();
    await backedUp(world);
    const calling = new AbortController();
    const outputPath = world.path('out.db');
    const onProgress = ({ filesDone }: RestoreProgress): void => {
      if (filesDone === 2) calling.abort();
    };
    await expect(
      world.latest({ outputPath, onProgress, signal: calling.signal }),
    ).rejects.toMatchObject({ name: 'AbortError' });
    expect(readdirSync(world.folder).sort()).toEqual(['one', 'store']);
  });

  test('names a damaged file, and takes another way where there is one', async () => {
    using world = new BackupWorld();
    const node = await backedUp(world);
    world.clock.advance(60_000);
    const backup = node.backup();
    await backup.upload();
    await backup.upkeep();
    const merged = `${PREFIX}/ltx/1/0000000000000002-0000000000000005.ltx`;
    expect(await world.keys()).toContain(merged);
    await damage(world, merged);
    const { bytes, report } = await world.restore({ kind: 'latest' });
    expect(bytes.equals(node.copy())).toBe(true);
    expect(report).toMatchObject({ txid: 5, damaged: [merged] });
    await damage(world, key(4));
    await expect(world.latest()).rejects.toMatchObject({ code: 'backup_damaged', key: key(4) });
    const { report: lower } = await world.restore({ kind: 'txid', txid: 3 });
    expect(lower.txid).toBe(3);
    expect(existsSync(world.path('out.db'))).toBe(false);
  });

  test('never gives less than the last state because a file is damaged', async () => {
    using world = new BackupWorld();
    await backedUp(world);
    await damage(world, key(5));
    await expect(world.latest()).rejects.toMatchObject({
      code: 'backup_damaged',
      key: key(5),
      hint: expect.stringContaining('holds transactions 5 to 5') as unknown,
    });
  });

  test('refuses a database that does not add up to what its last file says', async () => {
    using world = new BackupWorld();
    await backedUp(world);
    const bytes = await world.store.get(key(5));
    const { header } = decodeLtx(bytes);
    const { before, after = 0n } = storedChecksums(header);
    const chunks: Uint8Array[] = [];
    const wrong = storedHeader(header, { before, after: after ^ 1n });
    const rewriter = new LtxRewriter(wrong, (chunk) => chunks.push(chunk));
    rewriter.push(bytes);
    rewriter.finish();
    await world.store.put(key(5), Buffer.concat(chunks));
    await expect(world.latest()).rejects.toMatchObject({
      code: 'restore_check_failed',
      message: expect.stringContaining('checksum of transaction 5') as unknown,
    });
    expect(readdirSync(world.folder).filter((name) => name.includes('restore'))).toEqual([]);
  });

  test('takes files that state checksums as the format has them', async () => {
    using world = new BackupWorld();
    const node = await backedUp(world);
    for (const txid of [3, 4, 5]) {
      const { bytes = Buffer.of() } = node.database.readFrom(txid) ?? {};
      expect(decodeLtx(bytes).header.isChecksummed).toBe(true);
      await world.store.put(key(txid), bytes);
    }
    expect((await world.latest()).equals(node.copy())).toBe(true);
  });

  test('goes on when a file is merged and removed under it', async () => {
    using world = new BackupWorld();
    const node = await backedUp(world);
    const backup = node.backup();
    await backup.upload();
    const store = new FaultyStore(world.store);
    store.beforeStream = async () => {
      store.beforeStream = undefined;
      world.clock.advance(60_000);
      await backup.upkeep();
      for (let txid = 2; txid <= 4; txid += 1) await world.store.delete(key(txid));
    };
    const { bytes } = await world.restore({ kind: 'latest' }, { store });
    expect(store.beforeStream).toBeUndefined();
    expect(bytes.equals(node.copy())).toBe(true);
  });

  test('says what is missing when there is no backup, no snapshot or a gap', async () => {
    using world = new BackupWorld();
    await expect(world.latest()).rejects.toMatchObject({
      code: 'backup_empty',
      message: expect.stringContaining(`There is no backup of ${PREFIX}`) as unknown,
    });
    await backedUp(world);
    await world.store.delete(key(3));
    await expect(world.latest()).rejects.toMatchObject({
      code: 'backup_gap',
      message: 'The backup has a gap: transaction 3 is missing',
    });
    await world.store.delete(key(1, 9));
    await expect(world.latest()).rejects.toMatchObject({ code: 'backup_gap' });
    await expect(world.latest({ generation: 4 })).rejects.toMatchObject({
      code: 'backup_generation_unknown',
    });
  });

  test('a full disk is named, and nothing is left', (context) => {
    using world = new BackupWorld();
    const program = join(import.meta.dirname, 'backup-restore-full.ts');
    const script = 'mount -t tmpfs -o size=64k tmpfs "$1" && exec "$2" "$3" "$1"';
    const command = ['sh', '-c', script, 'sh', world.folder, process.execPath, program];
    const options = process.getuid?.() === 0 ? [] : ['--map-root-user'];
    const run = spawnSync('unshare', ['--mount', ...options, ...command], { encoding: 'utf8' });
    if (run.error !== undefined || run.stdout === '') context.skip(`needs mount: ${run.stderr}`);
    expect(JSON.parse(run.stdout)).toEqual({
      code: 'disk_full',
      hint: expect.stringContaining('Free space') as unknown,
      files: [],
    });
  });
});

describe('verification', () => {
  test('tells the ranges of transactions and times that can be restored', async () => {
    using world = new BackupWorld();
    const startMs = world.clock.nowMs();
    await backedUp(world);
    const { store } = world;
    const options = { store, databasePrefix: PREFIX, scratchFolder: world.path('scratch') };
    const verified = await verifyBackup({ ...options, depth: 'restore' });
    expect(verified.problems).toEqual([]);
    expect(verified.restored).toMatchObject({ txid: 5 });
    expect(verified.generations).toMatchObject([
      {
        generation: 1,
        sharedTxid: undefined,
        fileCount: 5,
        damaged: [],
        ranges: [
          {
            fromTxid: 1,
            throughTxid: 5,
            fromMs: startMs,
            throughMs: startMs + 4000,
            stateCount: 5,
          },
        ],
      },
    ]);
    expect(readdirSync(world.path('scratch'))).toEqual([]);
  });

  test('says which file is damaged and what that costs', async () => {
    using world = new BackupWorld();
    await backedUp(world);
    await damage(world, key(4));
    const { store } = world;
    const options = { store, databasePrefix: PREFIX, scratchFolder: world.path('scratch') };
    expect((await verifyBackup({ ...options, depth: 'listing' })).problems).toEqual([]);
    const { problems, generations, restored } = await verifyBackup({
      ...options,
      depth: 'restore',
    });
    expect(generations[0]?.damaged.map((file) => file.key)).toEqual([key(4)]);
    expect(generations[0]?.ranges).toMatchObject([{ fromTxid: 1, throughTxid: 3 }]);
    expect(restored).toBeUndefined();
    expect(problems).toEqual([
      expect.stringContaining(`${key(4)} is damaged`),
      'Transactions after 3 are missing, so that those up to 5 cannot be restored before the next snapshot.',
      expect.stringContaining('The last state cannot be restored'),
    ]);
  });

  test('says what is missing', async () => {
    using world = new BackupWorld();
    const node = await backedUp(world);
    await world.store.delete(key(3));
    const { store } = world;
    const options = { store, databasePrefix: PREFIX, scratchFolder: world.path('scratch') };
    const backup = node.backup();
    await backup.upload();
    world.clock.advance(1);
    await backup.upkeep();
    const { problems, generations } = await verifyBackup({ ...options, depth: 'files' });
    expect(generations[0]?.ranges).toMatchObject([
      { fromTxid: 1, throughTxid: 2 },
      { fromTxid: 5, throughTxid: 5 },
    ]);
    expect(problems).toEqual(['Transactions 3 to 4 cannot be restored.']);
    const nothing = await verifyBackup({
      ...options,
      databasePrefix: 'other.db',
      depth: 'restore',
    });
    expect(nothing).toEqual({
      generations: [],
      restored: undefined,
      problems: ['There is no backup of other.db.'],
    });
  });
});
