import { isIPv4, isIPv6 } from 'node:net';
import type { Parsed } from './parsed.ts';

/** Where the server listens. */
export type ListenAddress =
  | {
      readonly kind: 'tcp';
      /** An IP address without brackets. */
      readonly host: string;
      /** 0 lets the system choose. */
      readonly port: number;
    }
  | { readonly kind: 'unix'; readonly path: string };

const HOST_DEFAULT = '127.0.0.1';
const HOST_ALL = '::';

/**
 * Reads `host:port`, `[ipv6]:port`, `:port` (all addresses), `port` (loopback) or `unix:/path`.
 * Names other than `localhost` are refused, since nothing is looked up at start.
 */
export function parseListenAddress(text: string): Parsed<ListenAddress> {
  if (text.startsWith('unix:') || text.startsWith('/')) return parseUnixPath(text);
  if (text.includes('://')) return { problem: 'has a scheme' };
  if (/^\d+$/.test(text)) return withPort(HOST_DEFAULT, text);
  const bracketed = /^\[([^\]]*)\]:(\d+)$/.exec(text);
  if (bracketed?.[1] !== undefined && bracketed[2] !== undefined) {
    if (!isIPv6(bracketed[1])) return { problem: 'has no IPv6 address between its brackets' };
    return withPort(bracketed[1], bracketed[2]);
  }
  if (isIPv6(text)) return { problem: 'is an IPv6 address without brackets and port' };
  const colon = text.lastIndexOf(':');
  if (colon === -1) return { problem: 'has no port' };
  const host = text.slice(0, colon);
  const port = text.slice(colon + 1);
  if (!/^\d+$/.test(port)) return { problem: `has '${port}' where the port should be` };
  if (host === '' || host === '*') return withPort(HOST_ALL, port);
  if (host === 'localhost') return withPort(HOST_DEFAULT, port);
  if (isIPv4(host)) return withPort(host, port);
  if (isIPv6(host)) return { problem: 'has an IPv6 address without brackets' };
  return { problem: `names the host '${host}', and no name is looked up at start` };
}

/** The address as text that `parseListenAddress` reads again. */
export function formatListenAddress(address: ListenAddress): string {
  if (address.kind === 'unix') return `unix:${address.path}`;
  return `${bracketedHost(address.host)}:${address.port}`;
}

/** The address under which a browser on the same machine reaches `address`. */
export function baseUrlOfListenAddress(address: ListenAddress): string {
  if (address.kind === 'unix') return 'http://localhost';
  const wildcard = address.host === '0.0.0.0' || address.host === HOST_ALL;
  const host = wildcard ? 'localhost' : bracketedHost(address.host);
  return address.port === 80 ? `http://${host}` : `http://${host}:${address.port}`;
}

function bracketedHost(host: string): string {
  return isIPv6(host) ? `[${host}]` : host;
}

function withPort(host: string, portText: string): Parsed<ListenAddress> {
  const port = Number(portText);
  if (port > 65_535) return { problem: 'has a port above 65535' };
  return { value: { kind: 'tcp', host, port } };
}

function parseUnixPath(text: string): Parsed<ListenAddress> {
  const path = text.startsWith('unix:') ? text.slice('unix:'.length) : text;
  if (!path.startsWith('/')) return { problem: 'has a socket path that is not absolute' };
  // sun_path holds 108 bytes on Linux and 104 on BSDs and macOS, with a final zero.
  if (Buffer.byteLength(path) > 103) return { problem: 'has a socket path of more than 103 bytes' };
  return { value: { kind: 'unix', path } };
}
