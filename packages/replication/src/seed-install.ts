import { join } from 'node:path';
import type { DatabaseSeed } from './database-seed.ts';
import { DatabaseState } from './database-state.ts';
import { FileIdentityRecord } from './file-identity.ts';
import type { PresentDatabaseOptions } from './present-database.ts';
import type { RepairTarget } from './stream-source.ts';

/**
 * Puts a seed with all pages of `target` in the database's place, and beside it the state that says
 * so. There is no database yet.
 *
 * @throws ReplicationError `diverged` when the pages do not add up to `digest`; `disk_full`,
 * `state_failed`.
 */
export function installSeed(
  seed: DatabaseSeed,
  { path, stateFolder, sync }: PresentDatabaseOptions,
  { pageSize, pageCount, position, history }: RepairTarget,
  digest: string,
): void {
  seed.finish(pageCount, digest, join(stateFolder, 'pages'));
  const state = DatabaseState.open(stateFolder, pageSize, sync);
  state.adopt(position.txid, history);
  state.markSynced();
  state.close();
  new FileIdentityRecord(join(stateFolder, 'identity.json'), path).write(position.txid);
}
