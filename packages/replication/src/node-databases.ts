import type { Complaints } from './complaints.ts';
import { DatabaseSet } from './database-set.ts';
import type { ReplicationNodeOptions } from './node-options.ts';
import { Quarantine, type QuarantineCase } from './quarantine.ts';
import type { ReplicatedDatabase } from './replicated-database.ts';

export interface NodeDatabasesOptions {
  readonly node: ReplicationNodeOptions;
  /** A primary's transactions have been applied, or its pages taken over. */
  readonly onMoved: (database: ReplicatedDatabase) => void;
  /** As in `LogConsumer`. */
  readonly leave: (database: ReplicatedDatabase) => Promise<void> | undefined;
  readonly complaints: Complaints;
}

/** A node's databases and where it sets things aside, which its log tells of. */
export function openDatabases({ node, onMoved, leave, complaints }: NodeDatabasesOptions): {
  readonly databases: DatabaseSet;
  readonly quarantine: Quarantine;
} {
  const onCase = (quarantineCase: QuarantineCase): void => {
    const { kind, database, epoch, minTxid, maxTxid, folder, reason } = quarantineCase;
    node.log('warn', 'set aside', {
      kind,
      name: database,
      epoch,
      minTxid,
      maxTxid,
      folder,
      reason,
    });
  };
  const quarantine = new Quarantine(`${node.stateFolder}/quarantine`, { onCase });
  const databases = new DatabaseSet({
    ...node,
    quarantine,
    onApplied: onMoved,
    leave,
    complain: (what, error) => complaints.about(what, error),
  });
  return { databases, quarantine };
}
