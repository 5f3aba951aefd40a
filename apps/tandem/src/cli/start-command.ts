import { setTimeout as sleep } from 'node:timers/promises';
import { configOrThrow } from '../config/resolve-config.ts';
import { formatNote } from '../config/config-check.ts';
import { readConfig, type ConfigRequest } from '../config/read-config.ts';
import type { TandemConfig } from '../config/tandem-config.ts';
import { openLog } from '../daemon/daemon-log.ts';
import { runDaemon, type RunningDaemon } from './run-daemon.ts';

const PROMOTE_MS = 10_000;

/** `tandem start`: runs the daemon until a signal or the end of the application. */
export async function startCommand(request: ConfigRequest): Promise<number> {
  const report = readConfig(request);
  for (const note of report.notes) process.stderr.write(`tandem: ${formatNote(note)}\n`);
  if (report.config === null) return 1;
  const config = configOrThrow(report);
  const log = openLog(config.log);
  const running = await runDaemon(config, log);
  const stopping = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM'] as const) process.on(name, () => stopping.abort(name));
  await untilReady(running, config, stopping.signal);
  if (!stopping.signal.aborted && config.proxy !== null) await running.daemon.openProxy(config.proxy);
  log.info({ api: running.localUrl, node: config.node.name }, 'tandem runs');
  await aborted(stopping.signal);
  await running.daemon.leave();
  await running.stop();
  return 0;
}

async function untilReady(
  { daemon }: RunningDaemon,
  config: TandemConfig,
  signal: AbortSignal,
): Promise<void> {
  if (config.skipSync) return;
  try {
    await daemon.ready(signal);
    if (!config.lease.promote || !config.lease.candidate) return;
    await daemon.promote(AbortSignal.any([signal, AbortSignal.timeout(PROMOTE_MS)]));
  } catch (error) {
    if (signal.aborted) return;
    throw error;
  }
}

async function aborted(signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    await sleep(2 ** 30, undefined, { signal }).catch(() => undefined);
  }
}
