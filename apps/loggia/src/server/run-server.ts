import { networkInterfaces } from 'node:os';
import type { FastifyInstance } from 'fastify';
import { systemClock } from '@tandem/base';
import pino from 'pino';
import { ensureSetupToken, setupLink } from '../accounts/setup-link.ts';
import type { Configuration } from '../config/configuration.ts';
import type { ListenAddress } from '../config/listen-address.ts';
import { buildApp } from './app.ts';
import { setHeapFlags } from './heap-flags.ts';
import { ListenError } from './listen-error.ts';
import { openServices, type OpenServices } from './open-services.ts';

/** After a signal, requests under way and hits in the queue have this long. */
const DRAIN_TIMEOUT_MS = 25_000;
/** After a signal, requests that were sent in part have this long to arrive. */
const ARRIVAL_TIMEOUT_MS = 3000;

/**
 * Runs the server until SIGTERM, SIGINT or SIGHUP: then it takes no more requests, answers those
 * under way, commits what waits, and ends. A second signal ends it at once.
 *
 * @returns the exit code: 0 after a clean stop, 1 when draining took too long.
 */
export async function runServer(options: {
  readonly configuration: Configuration;
}): Promise<number> {
  const { values, notices } = options.configuration;
  setHeapFlags();
  const logger = pino({
    level: values.logLevel,
    base: null,
    timestamp: pino.stdTimeFunctions.isoTime,
  });
  for (const notice of notices) logger.warn({ setting: notice.name }, notice.message);
  const stopping = signalReceived();
  const opened = await openServices(values, { clock: systemClock, logger });
  const app = buildApp(opened.services);
  try {
    await listen(app, values.listen);
  } catch (error) {
    await opened.close();
    throw error;
  }
  announce(app, opened, options.configuration);
  const signal = await stopping;
  logger.info({ signal }, 'Stopping: answering what is under way.');
  opened.beginStop();
  const isClean = await withinTime(stop(app, opened), DRAIN_TIMEOUT_MS);
  if (isClean) logger.info('Stopped.');
  else logger.error(`Stopping took longer than ${DRAIN_TIMEOUT_MS} ms.`);
  return isClean ? 0 : 1;
}

/** @throws ListenError when the address cannot be used. */
async function listen(app: FastifyInstance, address: ListenAddress): Promise<void> {
  try {
    if (address.kind === 'unix') await app.listen({ path: address.path });
    else await listenOnPort(app, address.host, address.port);
  } catch (error) {
    throw ListenError.of(error, address);
  }
}

/** Listens on all addresses also where the system has no IPv6. */
async function listenOnPort(app: FastifyInstance, host: string, port: number): Promise<void> {
  await app.listen({ host: host === '::' && !hasIpv6() ? '0.0.0.0' : host, port });
}

function hasIpv6(): boolean {
  const addresses = Object.values(networkInterfaces()).flat();
  return addresses.some((address) => address?.family === 'IPv6');
}

function announce(app: FastifyInstance, opened: OpenServices, configuration: Configuration): void {
  const { journal, logger } = opened.services;
  const address = app.server.address();
  const listening = typeof address === 'string' ? address : `${address?.address}:${address?.port}`;
  const { baseUrl, dataDir } = configuration.values;
  logger.info({ listening, base_url: baseUrl, data_dir: dataDir }, 'Loggia is listening.');
  const token = ensureSetupToken(journal);
  if (token === undefined) return;
  logger.info(
    { setup_url: setupLink(baseUrl, token) },
    'There is no account yet. Open the set-up link to make the first one.',
  );
}

async function stop(app: FastifyInstance, opened: OpenServices): Promise<void> {
  const { connections } = app;
  connections.endUnused();
  const timer = setInterval(() => connections.endUnlessAnswering(), ARRIVAL_TIMEOUT_MS);
  await app.close();
  clearInterval(timer);
  await opened.close();
}

/**
 * Resolves with the name of the first signal that asks the process to stop. SIGHUP, which comes when
 * a terminal is closed, is one: Node.js would end at once, also under nohup, whose wish it undoes.
 */
function signalReceived(): Promise<string> {
  const { promise, resolve } = Promise.withResolvers<string>();
  for (const name of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) {
    let count = 0;
    process.on(name, () => {
      count += 1;
      if (count > 1) process.exit(1);
      resolve(name);
    });
  }
  return promise;
}

/** Whether `work` ended within `timeoutMs`. */
async function withinTime(work: Promise<void>, timeoutMs: number): Promise<boolean> {
  const { promise: late, resolve } = Promise.withResolvers<boolean>();
  const timer = setTimeout(() => resolve(false), timeoutMs);
  const inTime = await Promise.race([work.then(() => true), late]);
  clearTimeout(timer);
  return inTime;
}
