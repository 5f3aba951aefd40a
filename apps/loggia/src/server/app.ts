import Fastify, {
  LogController,
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
} from 'fastify';
import { HttpError } from '@loggia/contract';
import { authorise, isSecure, sessionCookie, type Access, type Caller } from './access.ts';
import { answerClientError } from './client-error.ts';
import { Connections } from './connections.ts';
import { EventEndpoint } from './event-endpoint.ts';
import { EventIntake } from './event-intake.ts';
import { createEventServer } from './event-shortcut.ts';
import { RateLimitError } from './event-limits.ts';
import { addPageRoutes } from './pages/page-routes.ts';
import { problemPage } from './pages/account-pages.ts';
import { sendPage } from './pages/send-page.ts';
import { headersOf, problemOf } from './problem.ts';
import { reportError } from './report-error.ts';
import { RouteTable } from './route-table.ts';
import { addBatchRoute } from './routes/batch-route.ts';
import { addEventRoutes } from './routes/event-routes.ts';
import { addGoalRoutes } from './routes/goal-routes.ts';
import { addHealthRoutes } from './routes/health-routes.ts';
import { addQueryRoutes } from './routes/query-routes.ts';
import { addScriptRoutes } from './routes/script-routes.ts';
import { addSiteRoutes } from './routes/site-routes.ts';
import type { Services } from './services.ts';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Who may use the route. */
    access?: Access;
  }
  interface FastifyRequest {
    /** On whose behalf the request is made, known once it is authorised. */
    caller: Caller;
  }
  interface FastifyInstance {
    /** Every route with who may use it. */
    readonly routeTable: RouteTable;
    readonly connections: Connections;
  }
}

/** For the headers of a request, and for all of it. Half a request holds a connection this long. */
const SERVER_OPTIONS = {
  headersTimeout: 15_000,
  requestTimeout: 60_000,
  connectionsCheckingInterval: 5000,
  keepAliveTimeout: 72_000,
  // Node's own answer to a request without host has no body; `requireHost` gives one.
  requireHostHeader: false,
} as const;
const URL_PARAMETER_LENGTH_MAX = 2000;

/** The HTTP side of Loggia: every route, and what holds for all of them. */
export function buildApp(services: Services): FastifyInstance {
  const intake = new EventIntake(services);
  const endpoint = new EventEndpoint(services, intake);
  const connections = new Connections();
  const app: FastifyInstance = Fastify({
    loggerInstance: services.logger,
    logController: new LogController({ disableRequestLogging: true }),
    serverFactory: (otherwise) =>
      createEventServer(
        { endpoint, metrics: services.metrics, clock: services.clock, connections },
        otherwise,
        SERVER_OPTIONS,
      ),
    routerOptions: { maxParamLength: URL_PARAMETER_LENGTH_MAX },
    forceCloseConnections: 'idle',
    return503OnClosing: false,
    frameworkErrors: (error, request, reply) => {
      void answerError(error, request, reply, services);
    },
    clientErrorHandler: (error, socket) => {
      const code = answerClientError(error, socket);
      if (code !== undefined) services.metrics.refused(code);
    },
  });
  // Nothing that is not understood is expected of us, so it is left out of account.
  app.server.on('checkExpectation', (request, response) => {
    app.server.emit('request', request, response);
  });
  app.decorate('connections', connections);
  readBodiesAsText(app);
  app.addHook('onRequest', async (request) => requireHost(request));
  addAccess(app, services);
  app.addHook('onResponse', async (request, reply) => {
    services.metrics.answered(request.routeOptions.url ?? 'none', reply.statusCode);
  });
  app.setErrorHandler((error, request, reply) => answerError(error, request, reply, services));
  app.setNotFoundHandler((request, reply) => {
    const methods = app.routeTable.methodsAt(pathOf(request)).join(', ');
    if (methods !== '') reply.header('allow', methods);
    return answerError(notFound(pathOf(request), methods), request, reply, services);
  });
  addEventRoutes(app, services, { intake, endpoint });
  addBatchRoute(app, services, intake);
  addScriptRoutes(app, services);
  addQueryRoutes(app, services);
  addSiteRoutes(app, services);
  addGoalRoutes(app, services);
  addHealthRoutes(app, services);
  addPageRoutes(app, services);
  return app;
}

/** Every route declares who may use it, and every request is held to that. */
function addAccess(app: FastifyInstance, services: Services): void {
  const table = new RouteTable();
  app.decorate('routeTable', table);
  app.decorateRequest('caller');
  app.addHook('onRoute', ({ method, url, config }) => {
    table.add({ method, url, access: config?.access });
  });
  app.addHook('onRequest', async (request, reply) => {
    const access = request.routeOptions.config.access ?? 'public';
    const caller = authorise(request, access, services.journal, services.clock.nowMs());
    request.caller = caller;
    if (caller.kind !== 'user' || !caller.isRenewed) return;
    reply.header('set-cookie', sessionCookie(caller.token, isSecure(services)));
  });
}

/** @throws HttpError `bad_request` for what HTTP/1.1 forbids. */
function requireHost(request: FastifyRequest): void {
  if (request.headers.host !== undefined || request.raw.httpVersion !== '1.1') return;
  throw new HttpError('bad_request', 'The request does not name a host.');
}

function notFound(path: string, methods: string): HttpError {
  if (methods === '') return new HttpError('not_found', `There is nothing at ${path}.`);
  return new HttpError('method_not_allowed', `${path} takes ${methods} only.`);
}

/**
 * Bodies reach the handlers as text whatever their type: trackers send JSON as text/plain to spare a
 * preflight, and some clients name no type at all.
 */
function readBodiesAsText(app: FastifyInstance): void {
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', { parseAs: 'string' }, (_request, body, done) => done(null, body));
}

function answerError(
  thrown: unknown,
  request: FastifyRequest,
  reply: FastifyReply,
  services: Services,
): FastifyReply {
  const error = reportError(thrown, request.routeOptions?.url, services);
  const retryAfterMs = thrown instanceof RateLimitError ? thrown.retryAfterMs : undefined;
  reply.code(error.status).headers(headersOf(error, retryAfterMs));
  if (!wantsPage(request)) return reply.send(problemOf(error));
  if (error.code === 'no_key') return reply.code(303).header('location', '/login').send();
  const hint = error.hint === undefined ? {} : { hint: error.hint };
  const title = error.code === 'not_found' ? 'Not found' : 'That did not work';
  return sendPage(reply, problemPage({ title, message: error.message, ...hint }));
}

/** Whether a person in a browser reads the answer. */
function wantsPage(request: FastifyRequest): boolean {
  if (pathOf(request).startsWith('/api/')) return false;
  return (request.headers.accept ?? '').includes('text/html');
}

function pathOf(request: FastifyRequest): string {
  return request.url.split('?', 1)[0] ?? '/';
}
