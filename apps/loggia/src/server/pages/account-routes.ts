import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { hashPassword, passwordProblem, verifyPassword } from '../../accounts/password.ts';
import { isSetupToken } from '../../accounts/setup-link.ts';
import { userNameProblem } from '../../accounts/user-name.ts';
import { SESSION_LIFETIME_MS, isSecure, requireSameOrigin, sessionCookie } from '../access.ts';
import { RateLimitError } from '../event-limits.ts';
import { requestFacts } from '../request-facts.ts';
import type { Services } from '../services.ts';
import { loginPage, setupPage, spentSetupPage, waitingPage } from './account-pages.ts';
import { formFields } from './form-fields.ts';
import { sendPage } from './send-page.ts';

/** Set-up of the first account, login and logout. */
export function addAccountRoutes(app: FastifyInstance, services: Services): void {
  const { journal } = services;
  app.get('/setup', {
    config: { access: 'public' },
    handler: async (request, reply) => {
      const { token = '' } = request.query as Readonly<Record<string, string | undefined>>;
      if (isSetupToken(journal, String(token))) return sendPage(reply, setupPage({ token }));
      return sendPage(reply.code(410), spentSetupPage());
    },
  });
  app.post('/setup', {
    config: { access: 'public' },
    handler: (request, reply) => setUp(request, reply, services),
  });
  app.get('/login', {
    config: { access: 'public' },
    handler: async (_request, reply) =>
      sendPage(reply, journal.users.count() === 0 ? waitingPage() : loginPage({})),
  });
  app.post('/login', {
    config: { access: 'public' },
    handler: (request, reply) => logIn(request, reply, services),
  });
  app.post('/logout', {
    config: { access: 'login' },
    handler: async (request, reply) => {
      if (request.caller.kind === 'user') journal.sessions.revoke(request.caller.token);
      return reply
        .header('set-cookie', sessionCookie('', isSecure(services)))
        .code(303)
        .header('location', '/login')
        .send();
    },
  });
}

async function setUp(
  request: FastifyRequest,
  reply: FastifyReply,
  services: Services,
): Promise<FastifyReply> {
  requireSameOrigin(request);
  takeLoginLimit(request, services, '');
  const { token = '', name = '', password = '' } = formFields(request.body);
  const { journal } = services;
  if (!isSetupToken(journal, token)) return sendPage(reply.code(410), spentSetupPage());
  const problem = userNameProblem(name.trim()) ?? passwordProblem(password);
  if (problem !== undefined) {
    return sendPage(reply.code(400), setupPage({ token, name, error: problem }));
  }
  const passwordHash = await hashPassword(password);
  const nowMs = services.clock.nowMs();
  const user = journal.transaction(() => {
    if (!isSetupToken(journal, token)) return undefined;
    return journal.users.create({ name: name.trim(), passwordHash, nowMs });
  });
  if (user === undefined) return sendPage(reply.code(410), spentSetupPage());
  return beginSession(reply, user.id, services);
}

async function logIn(
  request: FastifyRequest,
  reply: FastifyReply,
  services: Services,
): Promise<FastifyReply> {
  requireSameOrigin(request);
  const { name = '', password = '' } = formFields(request.body);
  takeLoginLimit(request, services, name);
  const account = services.journal.users.byName(name.trim());
  const isRight = await verifyPassword(account?.passwordHash ?? null, password);
  if (account !== undefined && isRight) return beginSession(reply, account.id, services);
  const error = 'The name or the password is wrong.';
  return sendPage(reply.code(401), loginPage({ name, error }));
}

function beginSession(reply: FastifyReply, userId: number, services: Services): FastifyReply {
  const nowMs = services.clock.nowMs();
  const expiresMs = nowMs + SESSION_LIFETIME_MS;
  const token = services.journal.sessions.create({ userId, nowMs, expiresMs });
  return reply
    .header('set-cookie', sessionCookie(token, isSecure(services)))
    .code(303)
    .header('location', '/')
    .send();
}

/** @throws RateLimitError when this client, or anybody for this name, has tried too often. */
function takeLoginLimit(request: FastifyRequest, services: Services, name: string): void {
  const { address, nowMs } = requestFacts(request, services);
  const waits = [
    services.loginLimit.take(`address ${address}`, nowMs),
    name === '' ? 0 : services.loginLimit.take(`name ${name.slice(0, 100).toLowerCase()}`, nowMs),
  ];
  const waitMs = Math.max(...waits);
  if (waitMs > 0) throw new RateLimitError('Too many attempts to log in.', waitMs);
}
