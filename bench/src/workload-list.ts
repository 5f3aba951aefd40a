import type { Workload } from './workload.ts';
import { archiveReports } from './workloads/archive-reports.ts';
import { archiveStart } from './workloads/archive-start.ts';
import { enrich } from './workloads/enrich.ts';
import { ingestBatch } from './workloads/ingest-batch.ts';
import { ingestSingle } from './workloads/ingest-single.ts';
import { journalWrite } from './workloads/journal-write.ts';
import { ltx } from './workloads/ltx.ts';
import { memory } from './workloads/memory.ts';
import { replicationApply } from './workloads/replication-apply.ts';
import { replicationCatchUp } from './workloads/replication-catch-up.ts';
import { replicationCommits } from './workloads/replication-commits.ts';
import { replicationDelay } from './workloads/replication-delay.ts';
import { replicationGroupCommits } from './workloads/replication-group-commits.ts';
import { replicationHandOff } from './workloads/replication-hand-off.ts';
import { replicationOpen } from './workloads/replication-open.ts';
import { reports } from './workloads/reports.ts';
import { sqliteFormat } from './workloads/sqlite-format.ts';
import { start } from './workloads/start.ts';

/** Every workload, in the order in which they run. */
export const WORKLOADS: readonly Workload[] = [
  enrich,
  sqliteFormat,
  ltx,
  journalWrite,
  ingestSingle,
  ingestBatch,
  memory,
  start,
  reports,
  archiveReports,
  archiveStart,
  replicationCommits,
  replicationGroupCommits,
  replicationDelay,
  replicationApply,
  replicationCatchUp,
  replicationOpen,
  replicationHandOff,
];
