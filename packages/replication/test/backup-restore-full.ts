import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { encodeLtx, pageChecksumBigInt } from '@tandem/ltx';
import { ltxKey, openStore } from '@tandem/storage';
import { BackupError } from '../src/backup-error.ts';
import { ReplicationError } from '../src/replication-error.ts';
import { restoreDatabase } from '../src/restore.ts';

/** Restores a database into the folder it is given, which is too small, and prints what came of it. */
const path = process.argv[2] ?? '';
const storePath = mkdtempSync(join(tmpdir(), 'tandem-full-'));
const pageSize = 65_536;
const pages = [1, 2, 3, 4].map((pgno) => ({ pgno, data: new Uint8Array(pageSize).fill(pgno) }));
const header = {
  pageSize,
  commit: pages.length,
  minTxid: 1,
  maxTxid: 1,
  timestampMs: 0,
  preApplyChecksum: 0n,
  walOffsetBytes: 0,
  walSizeBytes: 0,
  walSalt1: 0,
  walSalt2: 0,
  nodeId: 0n,
  isChecksummed: true,
};
const checksum =
  pages.reduce((sum, { pgno, data }) => sum ^ pageChecksumBigInt(pgno, data), 0n) | (1n << 63n);
try {
  const store = openStore(storePath);
  const key = ltxKey('folder', 'app.db', { level: 9, minTxid: 1, maxTxid: 1 });
  await store.put(key, encodeLtx(header, pages, checksum));
  const source = { store, databasePrefix: 'app.db', target: { kind: 'latest' } } as const;
  await restoreDatabase({ ...source, outputPath: join(path, 'app.db') });
} catch (error) {
  if (!(error instanceof ReplicationError || error instanceof BackupError)) throw error;
  const { code, hint } = error;
  process.stdout.write(JSON.stringify({ code, hint, files: readdirSync(path) }));
} finally {
  rmSync(storePath, { recursive: true });
}
