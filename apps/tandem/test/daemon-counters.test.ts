import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { pino } from 'pino';
import { afterEach, expect, test, vi } from 'vitest';
import { resolveConfig } from '../src/config/resolve-config.ts';
import { systemMachine } from '../src/config/system-machine.ts';
import { Daemon } from '../src/daemon/daemon.ts';
import { DaemonApi } from '../src/daemon/daemon-api.ts';
import { METRICS } from '../src/http/metrics.ts';
import { DaemonFixture } from './daemon-fixture.ts';
import { freePort } from './free-port.ts';

const SWEEP_MS = 60_000;
const fixture = new DaemonFixture();
afterEach(() => vi.useRealTimers());

test('transactions that left the log before they were backed up are counted in the metrics', async () => {
  const folder = fixture.folder();
  const flags = [`databases.folder=${folder}`, 'log-retention.size=1MiB', 'checkpoint.pages=64'];
  const machine = systemMachine();
  const { config } = resolveConfig({ file: null, flags, command: null, env: {}, machine });
  if (config === null) throw new Error('the configuration is sound');
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
  const daemon = await Daemon.create(config, pino({ level: 'silent' }), await freePort());
  const { node } = daemon;
  fixture.onEnd(() => daemon.stop());
  daemon.start();
  await daemon.ready(AbortSignal.timeout(30_000));
  // A backup that never comes to begin.
  node.logConsumer = { neededFrom: () => 1, leave: () => undefined };
  const application = new DatabaseSync(join(folder, 'app.db'));
  fixture.onEnd(() => application.close());
  application.exec('PRAGMA journal_mode=WAL; CREATE TABLE blob (bytes)');
  const write = application.prepare('INSERT INTO blob VALUES (?)');
  for (let count = 0; count < 400; count += 1) {
    write.run(randomBytes(20_000));
    node.capture();
  }
  const firstTxid = (): number => node.databases.get('app.db')?.log?.firstTxid ?? 0;
  const before = firstTxid();
  vi.advanceTimersByTime(SWEEP_MS);

  const lost = firstTxid() - before;
  expect(lost).toBeGreaterThan(0);
  expect(node.lostToBackup).toBe(lost);
  const api = new DaemonApi({ version: '0', startedAtMs: 0, config, daemon });
  const status = api.status();
  expect(status.counters.transactionsLostToBackup).toBe(lost);
  const name = 'tandem_transactions_lost_to_backup_total';
  const http = {
    answers: [],
    eventStreams: 0,
    eventStreamsCut: 0,
    exportsRunning: 0,
    importsRunning: 0,
  };
  const process = { cpuSeconds: 0, residentBytes: 0, heapUsedBytes: 0, stallSecondsMax: 0 };
  const metric = METRICS.find((each) => each.name === name);
  expect(metric?.samples({ status, http, process })).toEqual([{ value: lost }]);
});
