import { PROXY_COUNTERS } from '@tandem/proxy';
import { litefsMetrics } from './litefs-metrics.ts';
import {
  counter,
  databaseGauge,
  flag,
  gauge,
  one,
  type MetricDefinition,
  type MetricSource,
} from './metric-definition.ts';
import { metricText, type Sample } from './metrics-text.ts';
import { NODE_COUNTERS, type NodeCounter, type NodeLag, type NodeStatus } from './node-api.ts';

/** All metrics, in the order in which they are shown. `docs/reference/tandem-metrics.md` lists them. */
export const METRICS: readonly MetricDefinition[] = [
  ...nodeMetrics(),
  ...databaseMetrics(),
  ...replicaMetrics(),
  ...acknowledgementMetrics(),
  ...counterMetrics(),
  ...proxyMetrics(),
  ...httpMetrics(),
  ...processMetrics(),
  ...litefsMetrics(),
];

/** The answer of `GET /metrics`. */
export function metricsText(source: MetricSource): string {
  return METRICS.map((metric) => metricText(metric, metric.samples(source))).join('');
}

function nodeMetrics(): MetricDefinition[] {
  return [
    gauge('tandem_info', 'Always 1; its labels say version, node and cluster.', ({ status }) => [
      {
        labels: {
          version: status.version,
          node: status.identity.name,
          cluster: status.clusterId ?? '',
          lease: status.leaseKind,
        },
        value: 1,
      },
    ]),
    gauge('tandem_role', '1 for the role that the node has, 0 for the others.', ({ status }) =>
      (['primary', 'replica', 'none'] as const).map((role) => ({
        labels: { role },
        value: flag(status.role === role),
      })),
    ),
    gauge('tandem_is_primary', '1 while the node is primary.', ({ status }) =>
      one(flag(status.role === 'primary')),
    ),
    gauge('tandem_is_candidate', '1 when the node may become primary.', ({ status }) =>
      one(flag(status.isCandidate)),
    ),
    gauge('tandem_is_ready', '1 when /readyz answers 200.', ({ status }) =>
      one(flag(status.obstacles.length === 0)),
    ),
    gauge('tandem_is_following', '1 while a stream from the primary is in step.', ({ status }) =>
      one(flag(status.streamState === 'following')),
    ),
    gauge('tandem_epoch', 'The epoch of the present term.', ({ status }) => one(status.epoch)),
    gauge('tandem_members', 'Nodes of the cluster that the lease knows.', ({ status }) =>
      one(status.members.length),
    ),
    gauge('tandem_databases', 'Databases of the node.', ({ status }) =>
      one(status.databases.length),
    ),
  ];
}

function databaseMetrics(): MetricDefinition[] {
  return [
    databaseGauge(
      'tandem_db_txid',
      'The last transaction of the database.',
      ({ position }) => position.txid,
    ),
    databaseGauge('tandem_db_epoch', 'The epoch that made it.', ({ position }) => position.epoch),
    databaseGauge(
      'tandem_db_bytes',
      'Size of the database.',
      (each) => each.pageSize * each.pageCount,
    ),
    ofLag('tandem_db_lag_seconds', 'For how long it has been behind the primary.', 'seconds'),
    ofLag('tandem_db_lag_transactions', 'Transactions it is behind the primary.', 'transactions'),
    ofLag('tandem_db_lag_bytes', 'Bytes of log it is behind the primary.', 'bytes'),
    databaseGauge('tandem_db_log_files', 'Files of its log.', ({ log }) => log.fileCount),
    databaseGauge('tandem_db_log_bytes', 'Size of its log.', ({ log }) => log.bytes),
    databaseGauge(
      'tandem_db_log_min_txid',
      'First transaction of its log; 0 when empty.',
      (each) => each.log.minTxid,
    ),
    databaseGauge(
      'tandem_db_has_wal_reset_bug',
      '1 when the SQLite that writes it can corrupt it: a version older than 3.51.3.',
      ({ sqlite }) => (sqlite === undefined ? undefined : flag(sqlite.hasWalResetBug)),
    ),
    gauge(
      'tandem_db_is_degraded',
      '1 while its last transactions are not confirmed by as many replicas as the mode wants.',
      ({ status }) =>
        status.databases.map(({ name }) => ({
          labels: { db: name },
          value: flag(status.acknowledgement.degradedNames.includes(name)),
        })),
    ),
  ];
}

function replicaMetrics(): MetricDefinition[] {
  return [
    gauge('tandem_replicas', 'Replicas connected to this node.', ({ status }) =>
      one(status.replicas.length),
    ),
    gauge('tandem_replica_is_ready', '1 when that replica is in step.', ({ status }) =>
      status.replicas.map(({ node, isReady }) => ({
        labels: { node: node.name },
        value: flag(isReady),
      })),
    ),
    gauge(
      'tandem_replica_behind_transactions',
      'Transactions that the replica has not confirmed.',
      ({ status }) =>
        status.replicas.flatMap(({ node, databases }) =>
          databases.map(({ name, transactionsBehind }) => ({
            labels: { node: node.name, db: name },
            value: transactionsBehind,
          })),
        ),
    ),
  ];
}

function acknowledgementMetrics(): MetricDefinition[] {
  const ofCounts =
    (key: 'acknowledged' | 'degraded' | 'waiting' | 'blocked') =>
    ({ status }: MetricSource): readonly Sample[] => {
      const { counts } = status.acknowledgement;
      return counts === undefined ? [] : one(counts[key]);
    };
  return [
    counter(
      'tandem_writes_acknowledged_total',
      'Waits for replicas that ended as the mode wants, in the present term.',
      ofCounts('acknowledged'),
    ),
    counter(
      'tandem_writes_degraded_total',
      'Waits for replicas that were given up, in the present term.',
      ofCounts('degraded'),
    ),
    gauge('tandem_writes_waiting', 'Writes that wait for replicas.', ofCounts('waiting')),
    gauge('tandem_writes_blocked', 'Of those, beyond the time-out.', ofCounts('blocked')),
  ];
}

function counterMetrics(): MetricDefinition[] {
  const ofNode = Object.entries(NODE_COUNTERS).map(([key, help]) =>
    counter(`tandem_${snakeCase(key)}_total`, help, ({ status }) =>
      one(status.counters[key as NodeCounter]),
    ),
  );
  const quarantines = counter(
    'tandem_quarantines_total',
    'Cases set aside in the quarantine folder, by kind.',
    ({ status }) =>
      Object.entries(status.quarantines).map(([kind, value]) => ({ labels: { kind }, value })),
  );
  return [...ofNode, quarantines];
}

function proxyMetrics(): MetricDefinition[] {
  const ofProxy =
    (read: (proxy: NonNullable<NodeStatus['proxy']>) => readonly Sample[]) =>
    ({ status }: MetricSource): readonly Sample[] =>
      status.proxy === undefined ? [] : read(status.proxy);
  return [
    counter(
      'tandem_proxy_events_total',
      'What happened to requests in the proxy, by event.',
      ofProxy((proxy) =>
        PROXY_COUNTERS.map((event) => ({
          labels: { event: snakeCase(event) },
          value: proxy[event],
        })),
      ),
    ),
    gauge(
      'tandem_proxy_requests',
      'Requests that are under way.',
      ofProxy((proxy) => one(proxy.requestsRunning)),
    ),
    gauge(
      'tandem_proxy_writes',
      'Of those, writes at the application.',
      ofProxy((proxy) => one(proxy.writesRunning)),
    ),
    gauge(
      'tandem_proxy_tunnels',
      'WebSockets and the like that are open.',
      ofProxy((proxy) => one(proxy.tunnelsOpen)),
    ),
    gauge(
      'tandem_proxy_is_paused',
      '1 while writes are held back for a hand-off.',
      ofProxy((proxy) => one(flag(proxy.isPaused))),
    ),
  ];
}

function httpMetrics(): MetricDefinition[] {
  return [
    counter(
      'tandem_http_requests_total',
      'Answers of this interface, by route and status.',
      ({ http }) =>
        http.answers.map(({ route, status, count }) => ({
          labels: { route, status: String(status) },
          value: count,
        })),
    ),
    gauge('tandem_http_event_streams', 'Readers of /events.', ({ http }) => one(http.eventStreams)),
    counter(
      'tandem_http_event_streams_cut_total',
      'Readers of /events that were too slow.',
      ({ http }) => one(http.eventStreamsCut),
    ),
    gauge('tandem_http_exports', 'Exports that are running.', ({ http }) =>
      one(http.exportsRunning),
    ),
    gauge('tandem_http_imports', 'Imports that are running.', ({ http }) =>
      one(http.importsRunning),
    ),
  ];
}

function processMetrics(): MetricDefinition[] {
  return [
    gauge('process_start_time_seconds', 'When the process started, in Unix time.', ({ status }) =>
      one(status.startedAtMs / 1000),
    ),
    counter('process_cpu_seconds_total', 'CPU time of the process.', ({ process }) =>
      one(process.cpuSeconds),
    ),
    gauge('process_resident_memory_bytes', 'Memory that the process occupies.', ({ process }) =>
      one(process.residentBytes),
    ),
    gauge('nodejs_heap_size_used_bytes', 'The used part of the JavaScript heap.', ({ process }) =>
      one(process.heapUsedBytes),
    ),
    gauge(
      'tandem_stall_seconds_max',
      'The longest that the main thread stood still since the last reading.',
      ({ process }) => one(process.stallSecondsMax),
    ),
  ];
}

function ofLag(name: string, help: string, key: keyof NodeLag): MetricDefinition {
  return databaseGauge(name, help, ({ lag }) => lag?.[key]);
}

function snakeCase(name: string): string {
  return name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}
