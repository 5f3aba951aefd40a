export { DEFAULT_COMPACTION_POLICY, planCompaction, snapshotDue } from './compaction-plan.ts';
export type {
  Compaction,
  CompactionLevel,
  CompactionPolicy,
  SnapshotReason,
} from './compaction-plan.ts';
export { listLtxFiles } from './ltx-files.ts';
export type { ListLtxOptions, LtxFile, StoredLtxFile } from './ltx-files.ts';
export { SNAPSHOT_LEVEL, ltxKey, ltxLevelPrefix, parseLtxKey } from './ltx-layout.ts';
export type { LtxKeyParts, LtxLayout, LtxRange } from './ltx-layout.ts';
export { checkKey, isKey } from './object-key.ts';
export type {
  ByteRange,
  ConditionalWrites,
  ListOptions,
  ObjectBody,
  ObjectStat,
  ObjectStore,
  PutOptions,
  SizedChunks,
  StoredObject,
} from './object-store.ts';
export { openStore } from './open-store.ts';
export type { StoreOptions } from './open-store.ts';
export { planRestore } from './restore-plan.ts';
export type { RestorePlan, RestoreTarget } from './restore-plan.ts';
export { planRetention } from './retention-plan.ts';
export { DEFAULT_RETRY_POLICY } from './retry.ts';
export type { RetryPolicy, Sleep } from './retry.ts';
export type { CredentialSource, S3Credentials } from './s3-client.ts';
export { STORAGE_ERROR_CODES, StorageError } from './storage-error.ts';
export type { StorageErrorCode } from './storage-error.ts';
