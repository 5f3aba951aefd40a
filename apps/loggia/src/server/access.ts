import type { FastifyRequest } from 'fastify';
import { HttpError, type KeyScope } from '@loggia/contract';
import type { Journal } from '@loggia/journal';
import type { Services } from './services.ts';

/**
 * Who may use a route. Every route declares it; one that does not stops the server at start.
 *
 * - `public`: anybody.
 * - `login`: a person who has logged in.
 * - a scope: a key that has it, or a person who has logged in.
 */
export type Access = 'public' | 'login' | KeyScope;

export const SESSION_COOKIE = 'loggia_session';
export const SESSION_LIFETIME_MS = 30 * 24 * 3_600_000;
/** A session is renewed when less than this is left of it. */
const SESSION_RENEW_BELOW_MS = 15 * 24 * 3_600_000;

/** On whose behalf a request is made. */
export type Caller =
  | { readonly kind: 'anybody' }
  | { readonly kind: 'key'; readonly id: number; readonly scopes: readonly KeyScope[] }
  | {
      readonly kind: 'user';
      readonly id: number;
      readonly token: string;
      /** The session was given more time, and its cookie has to get it as well. */
      readonly isRenewed: boolean;
    };

export const ANYBODY: Caller = { kind: 'anybody' };

/**
 * Decides whether `request` may use a route of this access, and for whom. The one place where that
 * is decided.
 *
 * @throws HttpError `no_key`, `bad_key` or `forbidden`.
 */
export function authorise(
  request: FastifyRequest,
  access: Access,
  journal: Journal,
  nowMs: number,
): Caller {
  if (access === 'public') return ANYBODY;
  const key = bearerKey(request.headers.authorization);
  if (key !== undefined && access !== 'login') return authoriseKey(key, access, journal);
  const token = sessionToken(request.headers.cookie);
  const session = token === undefined ? undefined : journal.sessions.find(token, nowMs);
  if (token === undefined || session === undefined) throw noKey(access);
  requireSameOrigin(request);
  const isRenewed = session.expiresMs - nowMs < SESSION_RENEW_BELOW_MS;
  if (isRenewed) journal.sessions.renew(token, nowMs + SESSION_LIFETIME_MS);
  return { kind: 'user', id: session.userId, token, isRenewed };
}

function authoriseKey(key: string, scope: KeyScope, journal: Journal): Caller {
  const found = journal.keys.find(key);
  if (found === undefined) {
    throw new HttpError('bad_key', 'This key is unknown or has been revoked.', {
      hint: "Make one with 'loggia key create'.",
    });
  }
  if (!allows(found.scopes, scope)) {
    throw new HttpError('forbidden', `This key lacks the scope '${scope}'.`, {
      hint: `Make one with 'loggia key create --scopes ${scope}'.`,
    });
  }
  return { kind: 'key', id: found.id, scopes: found.scopes };
}

/** Whether `scopes` cover `needed`; whoever may change sites may read them. */
function allows(scopes: readonly KeyScope[], needed: KeyScope): boolean {
  if (scopes.includes(needed)) return true;
  return needed === 'sites:read' && scopes.includes('sites:write');
}

function noKey(access: Access): HttpError {
  return new HttpError('no_key', 'This needs a key or a login.', {
    hint:
      access === 'login'
        ? 'Log in at /login.'
        : `Send 'Authorization: Bearer KEY' with a key that has the scope '${access}'.`,
  });
}

/**
 * Refuses a change that a page of another origin asks for in a logged-in person's name. Browsers
 * tell the origin of every such request; other clients have no session to misuse.
 *
 * @throws HttpError `forbidden`.
 */
export function requireSameOrigin(request: FastifyRequest): void {
  if (request.method === 'GET' || request.method === 'HEAD') return;
  const site = request.headers['sec-fetch-site'];
  if (site !== undefined) {
    if (site === 'same-origin' || site === 'none') return;
    throw new HttpError('forbidden', 'Another site may not do this in your name.');
  }
  const { origin } = request.headers;
  if (origin === undefined) return;
  if (hostOf(origin) !== request.headers.host) {
    throw new HttpError('forbidden', 'Another site may not do this in your name.');
  }
}

function hostOf(origin: string): string | undefined {
  return URL.canParse(origin) ? new URL(origin).host : undefined;
}

/** The key of an `Authorization: Bearer` header. */
export function bearerKey(header: string | undefined): string | undefined {
  const match = /^Bearer +(\S+) *$/i.exec(header ?? '');
  return match?.[1];
}

/** The session token in a `Cookie` header. */
export function sessionToken(header: string | undefined): string | undefined {
  for (const pair of (header ?? '').split(';')) {
    const [name, value] = pair.split('=', 2);
    if (name?.trim() === SESSION_COOKIE && value !== undefined) return value.trim();
  }
  return undefined;
}

/** Whether browsers come by https, so that cookies can be marked Secure. */
export function isSecure(services: Services): boolean {
  return services.configuration.baseUrl.startsWith('https:');
}

/** The `Set-Cookie` value that begins a session, or ends it when `token` is empty. */
export function sessionCookie(token: string, isSecure: boolean): string {
  const maxAgeSeconds = token === '' ? 0 : Math.floor(SESSION_LIFETIME_MS / 1000);
  const secure = isSecure ? '; Secure' : '';
  return `${SESSION_COOKIE}=${token}; Path=/; HttpOnly; SameSite=Lax; Max-Age=${maxAgeSeconds}${secure}`;
}
