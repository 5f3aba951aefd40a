import { readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { systemClock } from '@tandem/base';
import type { Logger } from 'pino';
import type { TandemConfig } from '../config/tandem-config.ts';
import { Daemon } from '../daemon/daemon.ts';
import { DaemonApi } from '../daemon/daemon-api.ts';
import { defined } from '../daemon/lease-store.ts';
import { TandemHttpServer, type HttpTls } from '../http/http-server.ts';
import { RoleFileWriter } from '../http/role-file-writer.ts';
import { VERSION } from '../version.ts';

const ROLE_FILES_MS = 1000;

/** A daemon with its HTTP interface. */
export interface RunningDaemon {
  readonly daemon: Daemon;
  readonly http: TandemHttpServer;
  /** Where this node's interface is reached from this machine. */
  readonly localUrl: string;
  /** Ends everything, in order. */
  readonly stop: () => Promise<void>;
}

/**
 * Listens, opens the databases and begins to look for a primary or to be it.
 *
 * @throws errors with a hint when an address is taken, a folder cannot be written, or the lease's
 * settings cannot work.
 */
export async function runDaemon(config: TandemConfig, log: Logger): Promise<RunningDaemon> {
  const listen = { ...config.http.listen, port: await portOf(config.http.listen) };
  const daemon = await Daemon.create(config, log, listen.port);
  const startedAtMs = systemClock.nowMs();
  const { token, isOpenOnLoopback, tls } = config.http;
  const node = new DaemonApi({ version: VERSION, startedAtMs, config, daemon });
  const http = new TandemHttpServer({
    node,
    access: {
      tokens: token === null ? [] : [token],
      isOpenOnLoopback,
      acceptsCertificates: tls?.requireClientCertificate ?? false,
    },
    ...(tls === null ? {} : { tls: readTls(tls) }),
    importFolder: join(config.state.folder, 'import'),
    onUpgrade: (request, socket, head) => daemon.node.handleUpgrade(request, socket, head),
    clock: systemClock,
    log: (level, message, facts) => log[level](facts, message),
  });
  const { port } = await http.listen(listen);
  daemon.start();
  const stopping = new AbortController();
  const files = new RoleFileWriter({
    node,
    folder: config.databases.folder,
    intervalMs: ROLE_FILES_MS,
    onError: (error) => log.warn({ error: String(error) }, 'the files for scripts are not written'),
  });
  const writing = files.run(stopping.signal);
  const scheme = tls === null ? 'http' : 'https';
  return {
    daemon,
    http,
    localUrl: `${scheme}://127.0.0.1:${port}`,
    stop: async () => {
      stopping.abort();
      await writing;
      await daemon.stop();
      await http.close();
    },
  };
}

/** The port, or one that is free: the node's identity has to name it before it is listened on. */
async function portOf({ host, port }: TandemConfig['http']['listen']): Promise<number> {
  if (port !== 0) return port;
  const server = createServer();
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  server.once('error', reject);
  server.listen(0, host, () => {
    const address = server.address();
    server.close(() => resolve(typeof address === 'object' ? (address?.port ?? 0) : 0));
  });
  return promise;
}

function readTls(tls: NonNullable<TandemConfig['http']['tls']>): HttpTls {
  const { certFile, keyFile, caFile } = tls;
  const ca = caFile === null ? null : readFileSync(caFile);
  return { cert: readFileSync(certFile), key: readFileSync(keyFile), ...defined({ ca }) };
}
