import { listMembers, type RawHeaders } from './raw-headers.ts';

/** Fields that speak of one connection and end there (RFC 9110 §7.6.1). */
const HOP_BY_HOP = new Set([
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'transfer-encoding',
  'upgrade',
]);

/** Fields that would change a message's frame or its routing if they came after the body. */
const NEVER_TRAILERS = new Set([
  ...HOP_BY_HOP,
  'authorization',
  'content-encoding',
  'content-length',
  'content-range',
  'content-type',
  'cookie',
  'host',
  'set-cookie',
  'trailer',
]);

/** The fields, in lower case, that a proxy does not pass on: the fixed ones and those named in Connection. */
export function hopByHopFields(headers: RawHeaders): ReadonlySet<string> {
  const named = listMembers(headers, 'connection').map((name) => name.toLowerCase());
  return named.length === 0 ? HOP_BY_HOP : new Set([...HOP_BY_HOP, ...named]);
}

/** Whether the field, in lower case, may be passed on as a trailer. */
export function isTrailerField(name: string): boolean {
  return !NEVER_TRAILERS.has(name) && !name.startsWith('tandem-');
}
