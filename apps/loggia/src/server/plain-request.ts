import type { RequestHeaders } from '@loggia/ingest';

/** A request that came in one piece, and nothing after it. */
export interface PlainRequest {
  /** Names in lower case, as Node's server gives them. */
  readonly headers: RequestHeaders;
  readonly body: string;
}

const HEAD_LENGTH_MAX = 12_000;
const LINE_END = '\r\n';
const HEAD_END = '\r\n\r\n';
const TAB = 9;
const BLANK = 32;

const NAME = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
/** Control characters other than those that end lines. */
const ODD_TEXT = /[^\t\r\n\x20-\x7e\x80-\xff]/;
const LENGTH = /^\d{1,7}$/;

/** They change how a request is read or answered. */
const UNUSUAL_NAMES: readonly string[] = ['transfer-encoding', 'upgrade', 'expect', 'trailer'];

/** Names as senders mostly write them, so that few are checked letter by letter. */
const KNOWN_NAMES: ReadonlyMap<string, string> = new Map(
  [
    'Host',
    'Connection',
    'User-Agent',
    'Accept',
    'Accept-Language',
    'Accept-Encoding',
    'Content-Type',
    'Content-Length',
    'Origin',
    'Referer',
    'Cookie',
    'DNT',
    'Sec-GPC',
    'Sec-Fetch-Dest',
    'Sec-Fetch-Mode',
    'Sec-Fetch-Site',
    'Sec-CH-UA',
    'Sec-CH-UA-Mobile',
    'Sec-CH-UA-Platform',
    'Priority',
    'Via',
    'Forwarded',
    'X-Real-IP',
    'X-Forwarded-For',
    'X-Forwarded-Host',
    'X-Forwarded-Proto',
  ].flatMap((name) => [
    [name, name.toLowerCase()],
    [name.toLowerCase(), name.toLowerCase()],
  ]),
);

/**
 * Reads `bytes` when they are exactly one request that begins with `requestLine`, in the plainest
 * form that HTTP/1.1 has: with a host and a length, each header once, on one line each, and without
 * any that asks for more than an answer. Of such a request there is only one reading.
 *
 * @returns undefined for anything else, a request that has not arrived in full included; none of it
 *   is wrong on that account.
 */
export function readPlainRequest(bytes: Buffer, requestLine: string): PlainRequest | undefined {
  const text = bytes.toString('latin1', 0, Math.min(bytes.length, HEAD_LENGTH_MAX));
  if (!text.startsWith(requestLine)) return undefined;
  const headEnd = text.indexOf(HEAD_END, requestLine.length - LINE_END.length);
  if (headEnd === -1) return undefined;
  const headers = readHeaders(text.slice(requestLine.length, headEnd + LINE_END.length));
  if (headers === undefined || !isPlain(headers)) return undefined;
  const bodyStart = headEnd + HEAD_END.length;
  const length = headers['content-length'];
  if (length === undefined || !LENGTH.test(length)) return undefined;
  if (bytes.length !== bodyStart + Number(length)) return undefined;
  return { headers, body: bytes.toString('utf8', bodyStart) };
}

type PlainHeaders = Record<string, string | undefined>;

/** The headers in `lines`; undefined when a line is odd or a name comes twice. */
function readHeaders(lines: string): PlainHeaders | undefined {
  if (ODD_TEXT.test(lines)) return undefined;
  // Names that every object has, such as `__proto__`, count as sent twice.
  const headers: PlainHeaders = {};
  for (let at = 0; at < lines.length;) {
    const end = lines.indexOf('\r', at);
    // Neither half of an end of line stands alone.
    if (lines.indexOf('\n', at) !== end + 1) return undefined;
    const colon = lines.indexOf(':', at);
    if (colon === -1 || colon > end) return undefined;
    const name = nameOf(lines.slice(at, colon));
    if (name === undefined || headers[name] !== undefined) return undefined;
    headers[name] = withoutBlanks(lines, colon + 1, end);
    at = end + LINE_END.length;
  }
  return headers;
}

function nameOf(text: string): string | undefined {
  return KNOWN_NAMES.get(text) ?? (NAME.test(text) ? text.toLowerCase() : undefined);
}

function withoutBlanks(text: string, from: number, to: number): string {
  let start = from;
  let end = to;
  while (start < end && isBlank(text.charCodeAt(start))) start += 1;
  while (end > start && isBlank(text.charCodeAt(end - 1))) end -= 1;
  return text.slice(start, end);
}

function isBlank(code: number): boolean {
  return code === BLANK || code === TAB;
}

function isPlain(headers: PlainHeaders): boolean {
  if (headers['host'] === undefined) return false;
  const connection = headers['connection'];
  if (connection !== undefined && connection.toLowerCase() !== 'keep-alive') return false;
  return UNUSUAL_NAMES.every((name) => headers[name] === undefined);
}
