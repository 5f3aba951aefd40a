import { readFileSync } from 'node:fs';
import { readConfig } from '../config/read-config.ts';
import type { TandemConfig } from '../config/tandem-config.ts';
import type { ClientTarget } from '../http/client-connection.ts';
import { configRequestOf, textOf, type Invocation } from './command.ts';

const DEFAULT_URL = 'http://127.0.0.1:20202';
const TIMEOUT_MS = 30_000;

/**
 * Where the node is that a command speaks to: `--url`, else `TANDEM_URL`, which supervised programs
 * have, else what the configuration says, else LiteFS's port on this machine.
 */
export function nodeTarget(invocation: Invocation): ClientTarget {
  const { env } = invocation;
  const given = textOf(invocation, 'url') ?? env['TANDEM_URL'];
  const { config } = readConfig({ ...configRequestOf(invocation), command: null });
  const token = textOf(invocation, 'token') ?? config?.http.token ?? undefined;
  const ca = config?.http.tls?.caFile ?? undefined;
  return {
    url: given ?? (config === null ? DEFAULT_URL : urlOf(config)),
    timeoutMs: TIMEOUT_MS,
    ...(token === undefined ? {} : { token }),
    ...(ca === undefined ? {} : { tls: { ca: readFileSync(ca) } }),
  };
}

function urlOf({ http }: TandemConfig): string {
  const scheme = http.tls === null ? 'http' : 'https';
  const isAny = http.listen.host === '::' || http.listen.host === '0.0.0.0';
  const host = isAny ? '127.0.0.1' : http.listen.host;
  return `${scheme}://${host.includes(':') ? `[${host}]` : host}:${http.listen.port}`;
}
