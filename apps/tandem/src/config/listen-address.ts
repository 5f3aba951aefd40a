import { isIPv4, isIPv6 } from 'node:net';
import type { Parsed } from './parsed.ts';

/** A TCP address to listen on. */
export interface ListenAddress {
  /** An IP address without brackets; `::` is all addresses of both families. */
  readonly host: string;
  /** 0 lets the system choose. */
  readonly port: number;
}

const HOST_ALL = '::';
const LOOPBACK_HOST = '127.0.0.1';

/**
 * Reads `:port` (all addresses), `port` (the same, as LiteFS has no other), `host:port`,
 * `[ipv6]:port`. Names other than `localhost` are refused, since nothing is looked up at start.
 */
export function parseListenAddress(text: string): Parsed<ListenAddress> {
  if (text.includes('://')) return { problem: 'has a scheme' };
  if (/^\d+$/.test(text)) return withPort(HOST_ALL, text);
  const bracketed = /^\[(?<host>[^\]]*)\]:(?<port>[^:]*)$/.exec(text)?.groups;
  if (bracketed !== undefined) {
    const { host = '', port = '' } = bracketed;
    if (!isIPv6(host)) return { problem: 'has no IPv6 address between its brackets' };
    return withPort(host, port);
  }
  if (isIPv6(text)) return { problem: 'is an IPv6 address without brackets and port' };
  const colon = text.lastIndexOf(':');
  if (colon === -1) return { problem: 'has no port' };
  const host = text.slice(0, colon);
  const port = text.slice(colon + 1);
  if (host === '' || host === '*') return withPort(HOST_ALL, port);
  if (host === 'localhost') return withPort(LOOPBACK_HOST, port);
  if (isIPv4(host)) return withPort(host, port);
  if (isIPv6(host)) return { problem: 'has an IPv6 address without brackets' };
  return { problem: `names the host '${host}', and no name is looked up at start` };
}

/** The address as text that `parseListenAddress` reads again. */
export function formatListenAddress({ host, port }: ListenAddress): string {
  if (host === HOST_ALL) return `:${port}`;
  return isIPv6(host) ? `[${host}]:${port}` : `${host}:${port}`;
}

/** Whether only programs of the same machine reach the address. */
export function isLoopbackHost(host: string): boolean {
  const bare = host.replace(/^\[|\]$/g, '').toLowerCase();
  return bare === 'localhost' || bare === '::1' || (isIPv4(bare) && bare.startsWith('127.'));
}

/** Whether the host stands for all addresses, and so for none that others could connect to. */
export function isWildcardHost(host: string): boolean {
  const bare = host.replace(/^\[|\]$/g, '');
  return bare === '0.0.0.0' || bare === HOST_ALL;
}

function withPort(host: string, portText: string): Parsed<ListenAddress> {
  if (!/^\d+$/.test(portText)) return { problem: `has '${portText}' where the port should be` };
  const port = Number(portText);
  if (port > 65_535) return { problem: 'has a port above 65535' };
  return { value: { host, port } };
}
