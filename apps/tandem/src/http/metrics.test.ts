import { describe, expect, it } from 'vitest';
import { METRICS, metricsText } from './metrics.ts';
import type { MetricSource } from './metric-definition.ts';
import type { NodeStatus } from './node-api.ts';
import { NO_COUNTERS, NO_QUARANTINES } from '../../test/no-counts.ts';

const NODE = { id: 'a', name: 'web-0', advertiseUrl: 'http://web-0:20202' };
const STATUS: NodeStatus = {
  version: '1.2.3',
  startedAtMs: 1_500,
  identity: NODE,
  clusterId: undefined,
  role: 'none',
  isCandidate: false,
  leaseKind: 'consul',
  folder: '/data',
  epoch: 2,
  highestEpoch: 2,
  primary: undefined,
  obstacles: ['No primary is known.'],
  streamState: 'idle',
  databases: [
    {
      name: 'a"b.db',
      position: { epoch: 2, txid: 9 },
      pageSize: 4096,
      pageCount: 3,
      lag: undefined,
      log: { fileCount: 1, bytes: 100, minTxid: 9, maxTxid: 9 },
      commitCount: 8,
      sqlite: undefined,
    },
  ],
  members: [],
  replicas: [],
  acknowledgement: {
    mode: 'none',
    timeoutMs: 1,
    onTimeout: 'block',
    counts: undefined,
    degradedNames: [],
  },
  counters: { ...NO_COUNTERS, repairs: 3 },
  quarantines: NO_QUARANTINES,
};
const SOURCE: MetricSource = {
  status: STATUS,
  http: {
    answers: [],
    eventStreams: 0,
    eventStreamsCut: 0,
    exportsRunning: 0,
    importsRunning: 0,
  },
  process: { cpuSeconds: 1, residentBytes: 2, heapUsedBytes: 3, stallSecondsMax: 4 },
};

/** All lines with numbers. */
function samplesOf(source: MetricSource): string[] {
  return metricsText(source)
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'));
}

describe('the metrics', () => {
  it('have names of their own, and a sentence each', () => {
    const names = METRICS.map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
    for (const { name, type, help } of METRICS) {
      expect([name, help]).toEqual([name, expect.stringMatching(/^[A-Z0-9/].*\.$/)]);
      if (name.startsWith('litefs_')) continue;
      expect([name, type]).toEqual([name, name.endsWith('_total') ? 'counter' : 'gauge']);
    }
  });

  it('say nothing of what is not known', () => {
    const text = samplesOf(SOURCE).join('\n');
    for (const name of ['lag', 'tandem_writes_', 'proxy', 'has_wal_reset_bug']) {
      expect(text).not.toContain(name);
    }
    expect(text).toContain('tandem_repairs_total 3');
    expect(text).toContain(String.raw`tandem_db_txid{db="a\"b.db"} 9`);
    expect(text).toContain('tandem_role{role="none"} 1');
    expect(text).toContain('tandem_is_ready 0');
    expect(text).toContain('process_start_time_seconds 1.5');
  });

  it('tell the kinds of what was set aside apart', () => {
    const quarantines = { ...STATUS.quarantines, diverged: 2, log_files: 1 };
    const lines = samplesOf({ ...SOURCE, status: { ...STATUS, quarantines } });
    expect(lines.filter((line) => line.startsWith('tandem_quarantines_total'))).toEqual([
      'tandem_quarantines_total{kind="diverged"} 2',
      'tandem_quarantines_total{kind="foreign_write"} 0',
      'tandem_quarantines_total{kind="other_cluster"} 0',
      'tandem_quarantines_total{kind="dropped"} 0',
      'tandem_quarantines_total{kind="replaced"} 0',
      'tandem_quarantines_total{kind="log_files"} 1',
    ]);
  });

  it('have the numbers of LiteFS under its names', () => {
    const lag = { transactions: 4, bytes: 5, seconds: 6.5 };
    const databases = STATUS.databases.map((each) => ({ ...each, name: 'app.db', lag }));
    const lines = samplesOf({ ...SOURCE, status: { ...STATUS, databases } });
    expect(lines.filter((line) => line.startsWith('litefs_'))).toEqual([
      'litefs_db_count 1',
      'litefs_is_primary 0',
      'litefs_subscriber_count 0',
      'litefs_http_stream_count 0',
      'litefs_lag_seconds 6.5',
      'litefs_db_txid{db="app.db"} 9',
      'litefs_db_commit_count{db="app.db"} 8',
      'litefs_db_ltx_count{db="app.db"} 1',
      'litefs_db_ltx_bytes{db="app.db"} 100',
      'litefs_db_lag_seconds{db="app.db"} 6.5',
    ]);
  });
});
