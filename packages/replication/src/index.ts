export { ReplicationNode } from './replication-node.ts';
export type { NodeEvent, NodeRole, ReplicationNodeOptions } from './replication-node.ts';
