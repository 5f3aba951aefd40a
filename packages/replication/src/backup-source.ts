import type { LtxHeader } from '@tandem/ltx';
import { ltxEndsOf, type LtxEnds } from './backup-file-ends.ts';
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

/** The ends of the log's file that ends with `txid`; undefined when the log has none. */
export function logFileEnding(source: BackupSource, txid: number): LtxEnds | undefined {
  const entry = source.log?.find(txid);
  if (entry?.maxTxid !== txid) return undefined;
  const file = source.readFrom(entry.minTxid);
  return file === undefined ? undefined : ltxEndsOf(file.bytes);
}

/** The header of the log's file that begins with `txid`; undefined when the log has none. */
export function logFileBeginning(source: BackupSource, txid: number): LtxHeader | undefined {
  const file = source.readFrom(txid);
  return file === undefined ? undefined : ltxEndsOf(file.bytes).header;
}
