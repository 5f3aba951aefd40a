export { ReplicationNode } from './replication-node.ts';
export type { LogConsumer } from './log-consumer.ts';
export { NODE_COUNTS } from './node-counters.ts';
export type { NodeCount } from './node-counters.ts';
export type { NodeEvent, NodeRole, ReplicationNodeOptions } from './node-options.ts';
export { ReplicatedDatabase } from './replicated-database.ts';
export type { ReplicatedDatabaseOptions } from './replicated-database.ts';
export { DatabaseSet } from './database-set.ts';
export type { DatabaseSetOptions, FolderChange } from './database-set.ts';
export type { DatabaseFilter } from './database-files.ts';
export { comparePositions, formatPosition, parsePosition } from './epoch-history.ts';
export type { EpochHistory, Position } from './epoch-history.ts';
export { judgeClientPosition } from './client-position.ts';
export type { ClientPositionVerdict } from './client-position.ts';
export type {
  AcknowledgementCounts,
  AcknowledgementMode,
  AcknowledgementPolicy,
} from './acknowledgements.ts';
export { askPosition, PEER_FAILSAFE_PATH, PEER_POSITION_PATH } from './peer-client.ts';
export type { PeerAccess, PeerReport } from './peer-client.ts';
export { parseClusterId } from './cluster-id.ts';
export { Quarantine, QUARANTINE_KINDS } from './quarantine.ts';
export type { QuarantineCase, QuarantineKind } from './quarantine.ts';
export { REPLICATION_ERROR_CODES, ReplicationError } from './replication-error.ts';
export type { ReplicationErrorCode } from './replication-error.ts';
export { STREAM_SETTINGS } from './stream-source.ts';
export type { RepairView, StreamLog, StreamSettings } from './stream-source.ts';
export { STREAM_PATH } from './stream-server.ts';
export type { StreamAccess } from './stream-server.ts';
export type { StreamTls } from './stream-client.ts';
export { BACKUP_ERROR_CODES, BackupError } from './backup-error.ts';
export type { BackupErrorCode } from './backup-error.ts';
export { DatabaseBackup } from './backup.ts';
export type { BackupStatus, DatabaseBackupOptions } from './backup.ts';
export { verifyBackup } from './backup-verify.ts';
export type { BackupVerification, VerifyOptions } from './backup-verify.ts';
export { restoreDatabase } from './restore.ts';
export type { RestoreOptions, RestoreProgress, RestoreReport } from './restore.ts';
