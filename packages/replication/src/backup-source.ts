import { logStateOf } from './backup-file-ends.ts';
import type { LtxState } from './backup-state.ts';
import type { ReplicatedDatabase } from './replicated-database.ts';

/** What a backup needs of a database. */
export type BackupSource = Pick<
  ReplicatedDatabase,
  | 'name'
  | 'role'
  | 'isPresent'
  | 'position'
  | 'history'
  | 'readFrom'
  | 'bytesAfter'
  | 'openView'
  | 'log'
>;

/** What the log's file says that ends with `txid`; undefined when the log has none. */
export function logFileEnding(source: BackupSource, txid: number): LtxState | undefined {
  const entry = source.log?.find(txid);
  if (entry?.maxTxid !== txid) return undefined;
  const file = source.readFrom(entry.minTxid);
  return file === undefined ? undefined : logStateOf(file.bytes);
}

/** What the log's file says that begins with `txid`; undefined when the log has none. */
export function logFileBeginning(source: BackupSource, txid: number): LtxState | undefined {
  const file = source.readFrom(txid);
  return file === undefined ? undefined : logStateOf(file.bytes);
}
