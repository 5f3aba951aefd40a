import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Proxy, type ProxyOptions } from '@tandem/proxy';
import { onTestFinished } from 'vitest';
import { ScriptedState } from './scripted-state.ts';

export interface RunningServer {
  readonly server: Server;
  readonly port: number;
  readonly url: string;
}

/** An application on a free port, which ends with the test. */
export async function startApp(listener: RequestListener): Promise<RunningServer> {
  const server = createServer(listener);
  const port = await listenLocally(server);
  onTestFinished(() => {
    server.close();
    server.closeAllConnections();
  });
  return { server, port, url: `http://127.0.0.1:${port}` };
}

export async function listenLocally(server: Server, port = 0): Promise<number> {
  const listening = Promise.withResolvers<void>();
  server.once('error', listening.reject);
  server.listen(port, '127.0.0.1', listening.resolve);
  await listening.promise;
  return (server.address() as AddressInfo).port;
}

export interface RunningNode {
  readonly proxy: Proxy;
  readonly state: ScriptedState;
  readonly port: number;
  readonly url: string;
}

/** A proxy in front of `targetUrl`, which ends with the test. It is a ready replica without a primary. */
export async function startProxy(
  targetUrl: string,
  options: Partial<ProxyOptions> = {},
): Promise<RunningNode> {
  const state = new ScriptedState().reach(1, 1);
  const proxy = new Proxy({
    listen: { host: '127.0.0.1', port: 0 },
    targetUrl,
    state,
    closeLingerMs: 0,
    closeTimeoutMs: 0,
    ...options,
  });
  const { port } = await proxy.listen();
  onTestFinished(() => proxy.close());
  return { proxy, state, port, url: `http://127.0.0.1:${port}` };
}

/** A port of this machine on which nobody listens. */
export async function freePort(): Promise<number> {
  const server = createServer();
  const port = await listenLocally(server);
  const closed = Promise.withResolvers<void>();
  server.close(() => closed.resolve());
  await closed.promise;
  return port;
}
