import { assert } from '@tandem/base';
import { checkKey } from './object-key.ts';
import { StorageError } from './storage-error.ts';

/**
 * B4: how Litestream v0.5 names LTX files; it differs by the kind of store (benbjohnson/litestream).
 *
 * - `folder`: `DATABASE/ltx/LEVEL/MIN-MAX.ltx`, the level in decimal (`litestream.go`, functions
 *   `LTXLevelDir` and `LTXFilePath`; used by `file/replica_client.go`).
 * - `bucket`: `DATABASE/LEVEL/MIN-MAX.ltx`, the level as four hexadecimal digits and no `ltx`
 *   (`s3/replica_client.go`, methods `WriteLTXFile` and `OpenLTXFile`).
 *
 * MIN and MAX are the first and last transaction, inclusive, as 16 lower-case hexadecimal digits.
 * Litestream's own guide to replica clients shows a third form, which its code does not write.
 */
export type LtxLayout = 'folder' | 'bucket';

/** Snapshots of the whole database; levels below hold changes (`compaction_level.go`). */
export const SNAPSHOT_LEVEL = 9;

/** The transactions in one LTX file, at one level. */
export interface LtxRange {
  /** 0 (as captured) to 8 (merged most), or `SNAPSHOT_LEVEL`. */
  readonly level: number;
  /** The first transaction in the file; 1 when it holds the whole database. */
  readonly minTxid: number;
  readonly maxTxid: number;
}

export interface LtxKeyParts extends LtxRange {
  readonly databasePrefix: string;
}

const FILE_NAME = /^(?<min>[0-9a-f]{16})-(?<max>[0-9a-f]{16})\.ltx$/;
const LEVEL_NAME = { folder: /^[0-9]$/, bucket: /^000[0-9]$/ } as const;

/**
 * The key of an LTX file.
 *
 * @param databasePrefix what tells the databases of a store apart; in Litestream's terms the path of
 * the replica. It cannot be empty: Litestream would look for `/0000/…`, with the slash.
 */
export function ltxKey(layout: LtxLayout, databasePrefix: string, range: LtxRange): string {
  const { level, minTxid, maxTxid } = range;
  assert(Number.isSafeInteger(minTxid) && minTxid >= 1, 'a transaction number is 1 or more');
  assert(Number.isSafeInteger(maxTxid) && maxTxid >= minTxid, 'a file ends after it begins');
  const key = `${ltxLevelPrefix(layout, databasePrefix, level)}${txidName(minTxid)}-${txidName(maxTxid)}.ltx`;
  checkKey(key);
  return key;
}

/** What the keys of all LTX files of a level begin with; ends with a slash. */
export function ltxLevelPrefix(layout: LtxLayout, databasePrefix: string, level: number): string {
  assert(Number.isInteger(level) && level >= 0 && level <= SNAPSHOT_LEVEL, 'levels are 0 to 9');
  checkKey(databasePrefix);
  if (layout === 'folder') return `${databasePrefix}/ltx/${level}/`;
  return `${databasePrefix}/${level.toString(16).padStart(4, '0')}/`;
}

/**
 * What a key says, or undefined when it is not that of an LTX file: other files may lie beside them
 * (Litestream's `.tmp`, its `lock.json`, folders of its older versions).
 *
 * @throws StorageError `storage_key_invalid` for a transaction number above 2^53 - 1: to skip the
 * file would restore a wrong state.
 */
export function parseLtxKey(layout: LtxLayout, key: string): LtxKeyParts | undefined {
  const segments = key.split('/');
  const name = FILE_NAME.exec(segments.pop() ?? '')?.groups;
  const levelName = segments.pop() ?? '';
  if (name === undefined || !LEVEL_NAME[layout].test(levelName)) return undefined;
  if (layout === 'folder' && segments.pop() !== 'ltx') return undefined;
  if (segments.length === 0) return undefined;
  const minTxid = parseTxid(name['min'] ?? '', key);
  const maxTxid = parseTxid(name['max'] ?? '', key);
  if (minTxid < 1 || maxTxid < minTxid) return undefined;
  return { databasePrefix: segments.join('/'), level: Number(levelName), minTxid, maxTxid };
}

function txidName(txid: number): string {
  return txid.toString(16).padStart(16, '0');
}

function parseTxid(hex: string, key: string): number {
  const txid = Number.parseInt(hex, 16);
  if (Number.isSafeInteger(txid)) return txid;
  throw new StorageError(
    'storage_key_invalid',
    `${key} names a transaction above 2^53 - 1, which no database reaches`,
    { hint: 'Move the file away if it is not part of the backup.' },
  );
}
