import { fieldValues, type RawHeaders } from './raw-headers.ts';
import { ProxyError } from './proxy-error.ts';

/** How the end of a request's body is found. */
export type Framing =
  | { readonly kind: 'none' }
  | { readonly kind: 'length'; readonly bytes: number }
  | { readonly kind: 'chunked' };

const HINT = 'Send one Content-Length, or Transfer-Encoding: chunked, and one Host header.';

/**
 * The framing of a request, or a refusal of one that another reader could frame differently: that is
 * how requests are smuggled past a proxy (X6). Node's parser refuses most of these by itself; here the
 * rule does not depend on it.
 *
 * @throws ProxyError bad_framing, unknown_coding, bad_request
 */
export function requestFraming(headers: RawHeaders, httpVersion: string): Framing {
  const lengths = fieldValues(headers, 'content-length');
  const codings = fieldValues(headers, 'transfer-encoding');
  const hosts = fieldValues(headers, 'host').length;
  if (hosts > 1 || (hosts === 0 && httpVersion === '1.1')) {
    throw new ProxyError('bad_request', `The request has ${hosts} Host headers.`, { hint: HINT });
  }
  if (codings.length > 0) return chunkedFraming(codings, lengths, httpVersion);
  const [length] = lengths;
  if (length === undefined) return { kind: 'none' };
  if (lengths.length > 1 || !/^\d+$/.test(length) || !Number.isSafeInteger(Number(length))) {
    throw new ProxyError('bad_framing', 'The Content-Length is not one whole number.', {
      hint: HINT,
    });
  }
  return { kind: 'length', bytes: Number(length) };
}

function chunkedFraming(
  codings: readonly string[],
  lengths: readonly string[],
  httpVersion: string,
): Framing {
  if (lengths.length > 0) {
    throw new ProxyError('bad_framing', 'The request has a Content-Length and a transfer coding.', {
      hint: HINT,
    });
  }
  if (httpVersion !== '1.1') {
    throw new ProxyError('bad_framing', 'A request of HTTP/1.0 cannot have a transfer coding.', {
      hint: HINT,
    });
  }
  if (codings.length > 1 || codings[0]?.toLowerCase() !== 'chunked') {
    throw new ProxyError('unknown_coding', 'The only transfer coding understood is chunked.', {
      hint: HINT,
    });
  }
  return { kind: 'chunked' };
}
