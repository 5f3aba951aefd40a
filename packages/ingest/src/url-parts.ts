/** The parts of an address as RFC 3986 divides it, none of them decoded. */
export interface UrlParts {
  /** Lower case, without the colon; null when the text has none. */
  readonly scheme: string | null;
  /** Lower case, without user, port, brackets and a final dot; null when absent or empty. */
  readonly host: string | null;
  readonly path: string;
  /** Without the question mark. */
  readonly query: string;
  /** Without the number sign; null when the text has none. */
  readonly fragment: string | null;
}

const PARTS = /^(?:([a-z][a-z0-9+.-]*):)?(?:\/\/([^/?#]*))?([^?#]*)(?:\?([^#]*))?(?:#(.*))?$/is;

/**
 * Divides any text into the parts of an address; it refuses nothing. The standard `URL` is not
 * used: it throws on much that trackers in the field send, and it rewrites paths.
 */
export function splitUrl(text: string): UrlParts {
  const match = PARTS.exec(text);
  const [, scheme, authority, path = '', query = '', fragment] = match ?? [];
  return {
    scheme: scheme === undefined ? null : scheme.toLowerCase(),
    host: authority === undefined ? null : hostOf(authority),
    path,
    query,
    fragment: fragment ?? null,
  };
}

function hostOf(authority: string): string | null {
  const hostAndPort = authority.slice(authority.lastIndexOf('@') + 1);
  const bracketed = hostAndPort.startsWith('[') ? /^\[([^\]]*)\]/.exec(hostAndPort) : null;
  const host = (bracketed?.[1] ?? withoutPort(hostAndPort)).trim();
  const trimmed = host.endsWith('.') ? host.slice(0, -1) : host;
  return trimmed === '' ? null : trimmed.toLowerCase();
}

function withoutPort(hostAndPort: string): string {
  const colonAt = hostAndPort.lastIndexOf(':');
  return colonAt === -1 ? hostAndPort : hostAndPort.slice(0, colonAt);
}
