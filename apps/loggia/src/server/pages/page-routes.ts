import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { ZoneRules } from '@tandem/base';
import { HttpError, type Site } from '@loggia/contract';
import { JournalError } from '@loggia/journal';
import { answerQuery, currentVisitorsStatement, parseQuery } from '@loggia/reports';
import { snippetOf } from '../../cli/snippet.ts';
import { executor, queryContext } from '../ask.ts';
import type { Services } from '../services.ts';
import { addAccountRoutes } from './account-routes.ts';
import { formFields } from './form-fields.ts';
import { overviewPage, type SiteToday } from './overview-page.ts';
import { sendPage } from './send-page.ts';

/** Sites on the plain page; the API has them all. */
const SITES_SHOWN_MAX = 100;
const TIMEZONES = Intl.supportedValuesOf('timeZone');

/** The plain pages: set-up, login, and the sites with their numbers of today. */
export function addPageRoutes(app: FastifyInstance, services: Services): void {
  addAssetRoute(app, 'page.css', 'text/css; charset=utf-8');
  addAssetRoute(app, 'icon.svg', 'image/svg+xml');
  app.get('/favicon.ico', {
    config: { access: 'public' },
    handler: async (_request, reply) =>
      reply.code(302).header('location', '/assets/icon.svg').send(),
  });
  addAccountRoutes(app, services);
  app.get('/', {
    config: { access: 'login' },
    handler: async (request, reply) => sendPage(reply, await overview(services, request)),
  });
  app.post('/sites', {
    config: { access: 'login' },
    handler: (request, reply) => addSite(request, reply, services),
  });
}

function addAssetRoute(app: FastifyInstance, name: string, type: string): void {
  const body = readFileSync(new URL(`../../../assets/${name}`, import.meta.url));
  const etag = `"${createHash('sha256').update(body).digest('base64url').slice(0, 22)}"`;
  app.get(`/assets/${name}`, {
    config: { access: 'public' },
    handler: async (request, reply) => {
      reply.header('etag', etag).header('cache-control', 'public, max-age=3600').type(type);
      if (request.headers['if-none-match'] === etag) return reply.code(304).send();
      return reply.send(body);
    },
  });
}

async function addSite(
  request: FastifyRequest,
  reply: FastifyReply,
  services: Services,
): Promise<FastifyReply> {
  const { domain = '', timezone = '' } = formFields(request.body);
  try {
    const nowMs = services.clock.nowMs();
    services.journal.sites.create({ domain, timezone: timezone.trim(), nowMs });
  } catch (error) {
    if (!(error instanceof JournalError)) throw error;
    const form = { domain, timezone, error: sentence(error) };
    return sendPage(reply.code(400), await overview(services, request, form));
  }
  services.sites.refreshNow();
  return reply.code(303).header('location', '/').send();
}

function sentence(error: JournalError): string {
  return error.hint === undefined ? `${error.message}.` : `${error.message}. ${error.hint}`;
}

async function overview(
  services: Services,
  request: FastifyRequest,
  form?: { readonly domain: string; readonly timezone: string; readonly error: string },
): Promise<string> {
  const gone = new AbortController();
  request.raw.once('aborted', () => gone.abort());
  const sites = services.sites.list().slice(0, SITES_SHOWN_MAX);
  const today = await Promise.all(sites.map((site) => siteToday(site, services, gone.signal)));
  return overviewPage({
    sites: today,
    timezones: TIMEZONES,
    ...(form === undefined ? {} : { form }),
  });
}

/** Today's numbers of `site`; those that cannot be had right now are left out. */
async function siteToday(site: Site, services: Services, signal: AbortSignal): Promise<SiteToday> {
  const context = queryContext(site, services);
  const today = ZoneRules.of(site.timezone).dateAt(context.nowMs);
  const base = {
    site,
    snippet: snippetOf(site, services.configuration.baseUrl),
    hasEvents: context.firstEventMs !== undefined,
    drops: services.journal.drops.list(site.id, today, today),
  };
  const execute = executor(services, signal);
  const query = parseQuery({
    site_id: site.domain,
    metrics: ['visitors', 'visits', 'pageviews', 'bounce_rate', 'visit_duration'],
    date_range: 'day',
  });
  try {
    const [answer, current] = await Promise.all([
      answerQuery(query, context, execute),
      execute(currentVisitorsStatement(site.id, context.nowMs)),
    ]);
    const numbers = answer.results[0]?.metrics.map((value) =>
      typeof value === 'number' ? value : null,
    );
    return {
      ...base,
      currentVisitors: Number(current.rows[0]?.[0] ?? 0),
      visitors: numbers?.[0] ?? 0,
      visits: numbers?.[1] ?? 0,
      pageviews: numbers?.[2] ?? 0,
      bounceRate: numbers?.[3] ?? null,
      visitDurationSeconds: numbers?.[4] ?? null,
    };
  } catch (error) {
    if (!(error instanceof HttpError)) throw error;
    return { ...base, ...UNKNOWN_NUMBERS };
  }
}

const UNKNOWN_NUMBERS = {
  currentVisitors: undefined,
  visitors: undefined,
  visits: undefined,
  pageviews: undefined,
  bounceRate: undefined,
  visitDurationSeconds: undefined,
};
