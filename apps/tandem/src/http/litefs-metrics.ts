import {
  counter,
  databaseGauge,
  flag,
  gauge,
  one,
  type MetricDefinition,
} from './metric-definition.ts';
import { largestLag } from './node-json.ts';

/**
 * The metrics of LiteFS that mean the same here, under LiteFS's names, for dashboards and alerts that
 * have them. Those that count accesses through its file system have no counterpart.
 */
export function litefsMetrics(): MetricDefinition[] {
  return [
    gauge('litefs_db_count', like('tandem_databases'), ({ status }) =>
      one(status.databases.length),
    ),
    gauge('litefs_is_primary', like('tandem_is_primary'), ({ status }) =>
      one(flag(status.role === 'primary')),
    ),
    gauge('litefs_subscriber_count', like('tandem_replicas'), ({ status }) =>
      one(status.replicas.length),
    ),
    gauge('litefs_http_stream_count', like('tandem_replicas'), ({ status }) =>
      one(status.replicas.length),
    ),
    gauge('litefs_lag_seconds', 'The largest tandem_db_lag_seconds.', ({ status }) => {
      const lag = largestLag(status);
      return lag === undefined ? [] : one(lag.seconds);
    }),
    databaseGauge('litefs_db_txid', like('tandem_db_txid'), ({ position }) => position.txid),
    counter('litefs_db_commit_count', 'Transactions captured here as primary.', ({ status }) =>
      status.databases.map(({ name, commitCount }) => ({
        labels: { db: name },
        value: commitCount,
      })),
    ),
    databaseGauge('litefs_db_ltx_count', like('tandem_db_log_files'), ({ log }) => log.fileCount),
    databaseGauge('litefs_db_ltx_bytes', like('tandem_db_log_bytes'), ({ log }) => log.bytes),
    databaseGauge(
      'litefs_db_lag_seconds',
      like('tandem_db_lag_seconds'),
      ({ lag }) => lag?.seconds,
    ),
  ];
}

function like(name: string): string {
  return `The same as ${name}.`;
}
