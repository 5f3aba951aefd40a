import type { NodeStatus } from '../src/http/node-api.ts';

/** Of a node to which nothing has happened. */
export const NO_COUNTERS: NodeStatus['counters'] = {
  roleChanges: 0,
  handOffs: 0,
  handOffsFailed: 0,
  streamsOpened: 0,
  transactionsApplied: 0,
  repairs: 0,
  foreignWrites: 0,
  walRestarts: 0,
  gaps: 0,
  databasesRefused: 0,
  transactionsLostToBackup: 0,
};

/** Of a node that has set nothing aside. */
export const NO_QUARANTINES: NodeStatus['quarantines'] = {
  diverged: 0,
  foreign_write: 0,
  other_cluster: 0,
  dropped: 0,
  replaced: 0,
  log_files: 0,
};
