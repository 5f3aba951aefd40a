import { hash, timingSafeEqual } from 'node:crypto';
import { isIP } from 'node:net';
import { HttpApiError } from './http-error.ts';

/** Who may use the interface: whoever one of these lets in. With none of them, nobody. */
export interface HttpAccess {
  /** Tokens, one of which the request must bear. More than one while they are being changed. */
  readonly tokens?: readonly string[];
  /** Client certificates that the HTTPS server has verified against its own authority. */
  readonly acceptsCertificates?: boolean;
  /** Programs on this machine, but not the pages that a browser on it shows. */
  readonly isOpenOnLoopback?: boolean;
}

/** What counts of a request. */
export interface Credentials {
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  readonly remoteAddress: string;
  /** Whether the connection came with a certificate that the server's authority has signed. */
  readonly hasVerifiedCertificate: boolean;
}

const TOKEN_HINT =
  "Send 'Authorization: Bearer TOKEN' with a token of the node's configuration (TANDEM_HTTP_TOKEN for " +
  'the command line).';
/** Headers of browsers and of proxies: who sends them need not be on this machine. */
const FOREIGN_HEADERS = [
  'origin',
  'sec-fetch-site',
  'forwarded',
  'x-forwarded-for',
  'x-real-ip',
  'via',
] as const;

/** Decides who is let in. Tokens are compared in a time that tells nothing of them. */
export class AccessRule {
  readonly #access: HttpAccess;
  readonly #tokenHashes: readonly Buffer[];

  constructor(access: HttpAccess) {
    this.#access = access;
    this.#tokenHashes = (access.tokens ?? [])
      .filter((token) => token !== '')
      .map((token) => hash('sha256', token, 'buffer'));
  }

  /** @throws HttpApiError `unauthorised`, which says what is missing. */
  admit(credentials: Credentials): void {
    const { acceptsCertificates, isOpenOnLoopback } = this.#access;
    if (acceptsCertificates === true && credentials.hasVerifiedCertificate) return;
    if (this.#bearsToken(credentials)) return;
    const isLocal = isOpenOnLoopback === true && isLoopbackAddress(credentials.remoteAddress);
    const foreign = isLocal ? foreignSign(credentials) : undefined;
    if (isLocal && foreign === undefined) return;
    const reason =
      foreign === undefined
        ? hasToken(credentials)
          ? 'The token is not one that this node knows.'
          : 'The request bears no token.'
        : `Only programs of this machine are let in without a token, and this request has ${foreign}.`;
    throw new HttpApiError('unauthorised', reason, {
      hint: TOKEN_HINT,
      headers: { 'www-authenticate': 'Bearer realm="tandem"' },
    });
  }

  #bearsToken(credentials: Credentials): boolean {
    const given = hash('sha256', bearerOf(credentials), 'buffer');
    let isKnown = false;
    for (const known of this.#tokenHashes) isKnown = timingSafeEqual(known, given) || isKnown;
    return isKnown;
  }
}

/** Whether the address, as a socket gives it, is of this machine. */
export function isLoopbackAddress(address: string): boolean {
  return address === '::1' || /^(?:::ffff:)?127\./.test(address);
}

function bearerOf({ headers }: Credentials): string {
  const text = headers['authorization'];
  const match = /^Bearer +(?<token>\S+) *$/i.exec(typeof text === 'string' ? text : '');
  return match?.groups?.['token'] ?? '';
}

function hasToken(credentials: Credentials): boolean {
  return bearerOf(credentials) !== '';
}

/**
 * What shows that a request does not come from a program of this machine, though its connection does.
 * Any page that a browser shows can send requests to the loopback address, and by giving its own
 * name that address it may even read the answers; the name is then in `Host`.
 */
function foreignSign({ headers }: Credentials): string | undefined {
  const header = FOREIGN_HEADERS.find((name) => headers[name] !== undefined);
  if (header !== undefined) return `the header '${header}'`;
  const host = typeof headers['host'] === 'string' ? headers['host'] : '';
  const name = host.replace(/:\d*$/, '').replace(/^\[(?<address>.*)\]$/, '$<address>');
  const isOwnName = name === '' || name.toLowerCase() === 'localhost' || isIP(name) !== 0;
  return isOwnName ? undefined : `the host name '${name}'`;
}
