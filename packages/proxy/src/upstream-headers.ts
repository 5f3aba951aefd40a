import { hopByHopFields } from './hop-by-hop.ts';
import { FORWARD_HEADER, POSITION_HEADER, type Origin } from './origin.ts';
import { fieldsOf, fieldValues, listMembers, type RawHeaders } from './raw-headers.ts';
import type { Framing } from './request-framing.ts';

/** What the next server is told of a request. */
export interface UpstreamRequest {
  readonly headers: RawHeaders;
  readonly method: string;
  readonly httpVersion: string;
  readonly framing: Framing;
  readonly origin: Origin;
  readonly clientAddress: string;
  /** The Host to name when the request, of HTTP/1.0, has none. */
  readonly fallbackHost: string;
  readonly viaName: string;
  /** The protocol to change to, for a tunnel. */
  readonly upgrade: string | undefined;
  /** Ask the next server to accept the request before its body is sent. */
  readonly expectsContinue: boolean;
  /** The token for another proxy, or undefined for the application. */
  readonly forwardToken: string | undefined;
}

/** Fields that are written anew below; the ones that came are used or dropped. */
const REWRITTEN = new Set([
  'host',
  'via',
  'expect',
  'content-length',
  'trailer',
  'x-forwarded-for',
  'x-forwarded-proto',
  'x-forwarded-host',
]);

/** Methods to which Node's client gives no body of its own accord. */
const BODILESS_METHODS = new Set(['GET', 'HEAD', 'DELETE', 'OPTIONS', 'TRACE']);

/** The fields to send on: end-to-end ones as they came, the proxy's own beside them. */
export function upstreamHeaders(request: UpstreamRequest): string[] {
  const dropped = hopByHopFields(request.headers);
  const host = fieldValues(request.headers, 'host')[0] ?? '';
  const sent: string[] = ['Host', host === '' ? request.fallbackHost : host];
  for (const [lower, name, value] of fieldsOf(request.headers)) {
    const isInternal = lower.startsWith('tandem-') && lower !== POSITION_HEADER.toLowerCase();
    if (dropped.has(lower) || REWRITTEN.has(lower) || isInternal) continue;
    sent.push(name, value);
  }
  sent.push(...forwardedFields(request, host, dropped), ...framingFields(request));
  const via = listMembers(request.headers, 'via');
  via.push(`${request.httpVersion} ${request.viaName}`);
  sent.push('Via', via.join(', '));
  if (request.expectsContinue) sent.push('Expect', '100-continue');
  if (request.forwardToken !== undefined) sent.push(FORWARD_HEADER, request.forwardToken);
  sent.push(...connectionFields(request));
  return sent;
}

/**
 * The client's address goes behind those that came. Between proxies that share a token nothing is
 * added: an application sees the same addresses whichever node the client came to.
 */
function forwardedFields(
  request: UpstreamRequest,
  host: string,
  dropped: ReadonlySet<string>,
): string[] {
  const given = (name: string): string[] =>
    dropped.has(name) ? [] : listMembers(request.headers, name);
  const addresses = given('x-forwarded-for');
  if (!request.origin.isTrusted) addresses.push(request.clientAddress);
  const fields: string[] = [];
  if (addresses.length > 0) fields.push('X-Forwarded-For', addresses.join(', '));
  const protocols = given('x-forwarded-proto');
  fields.push('X-Forwarded-Proto', protocols.length > 0 ? protocols.join(', ') : 'http');
  const forwardedHost = given('x-forwarded-host')[0] ?? host;
  if (forwardedHost !== '') fields.push('X-Forwarded-Host', forwardedHost);
  return fields;
}

function framingFields({ framing, headers, method }: UpstreamRequest): string[] {
  if (framing.kind === 'length') return ['Content-Length', String(framing.bytes)];
  if (framing.kind === 'none') return BODILESS_METHODS.has(method) ? [] : ['Content-Length', '0'];
  const trailers = listMembers(headers, 'trailer');
  return [
    'Transfer-Encoding',
    'chunked',
    ...(trailers.length > 0 ? ['Trailer', trailers.join(', ')] : []),
  ];
}

function connectionFields({ headers, upgrade }: UpstreamRequest): string[] {
  if (upgrade !== undefined) return ['Connection', 'Upgrade', 'Upgrade', upgrade];
  const takesTrailers = listMembers(headers, 'te').some((te) => te.toLowerCase() === 'trailers');
  return takesTrailers
    ? ['Connection', 'keep-alive, TE', 'TE', 'trailers']
    : ['Connection', 'keep-alive'];
}
