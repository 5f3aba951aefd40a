import { fieldsOf, type RawHeaders } from './raw-headers.ts';

/** Where a request is for, in the form that servers are sent. */
export interface RequestTarget {
  /** Path and query, or `*`. */
  readonly path: string;
  readonly headers: RawHeaders;
}

const ABSOLUTE_FORM = /^https?:\/\/(?<host>[^/?#]*)(?<path>.*)$/i;

/**
 * Takes the absolute form (`GET http://host/path`) apart as RFC 9112 §3.2.2 asks: the host in it
 * counts and the Host header does not.
 */
export function requestTarget(url: string, headers: RawHeaders): RequestTarget {
  const parts = ABSOLUTE_FORM.exec(url)?.groups;
  if (parts === undefined) return { path: url, headers };
  const path = parts['path'] ?? '';
  const others = [...fieldsOf(headers)].filter(([lower]) => lower !== 'host');
  return {
    path: path.startsWith('/') ? path : `/${path}`,
    headers: ['Host', parts['host'] ?? '', ...others.flatMap(([, name, value]) => [name, value])],
  };
}
