import { Type } from 'typebox';
import type { FastifyInstance } from 'fastify';
import { isTimeZone } from '@tandem/base';
import { HttpError, type Site, type SiteSettings } from '@loggia/contract';
import { SiteSettingsSchema } from '@loggia/contract/schemas';
import { pageOf, readPaging } from '../paging.ts';
import { bodyReader } from '../read-body.ts';
import type { Services } from '../services.ts';
import { snippetOf } from '../../cli/snippet.ts';

const Timezone = Type.String({ minLength: 1, maxLength: 64 });
const Domain = Type.String({ minLength: 1, maxLength: 300 });
/** A partial object forgets that it is closed, so that is said again. */
const SomeSettings = Type.Partial(SiteSettingsSchema, { additionalProperties: false });
const readNewSite = bodyReader(
  Type.Object({
    domain: Domain,
    timezone: Type.Optional(Timezone),
    settings: Type.Optional(SomeSettings),
  }),
);
const readSiteChange = bodyReader(
  Type.Object({
    domain: Type.Optional(Domain),
    timezone: Type.Optional(Timezone),
    settings: Type.Optional(SomeSettings),
  }),
);

/** Plausible's Sites API: list, create, read, change and delete sites. */
export function addSiteRoutes(app: FastifyInstance, services: Services): void {
  const { journal, sites } = services;
  app.get('/api/v1/sites', {
    config: { access: 'sites:read' },
    handler: async (request) => {
      const all = sites.list().map((site) => ({ key: site.domain, item: answer(site, services) }));
      const { items, meta } = pageOf(all, readPaging(request.query));
      return { sites: items, meta };
    },
  });
  app.post('/api/v1/sites', {
    config: { access: 'sites:write' },
    handler: async (request) => {
      const { domain, timezone = 'Etc/UTC', settings = {} } = readNewSite(request.body);
      requireTimeZone(timezone);
      const nowMs = services.clock.nowMs();
      const site = journal.sites.create({ domain, timezone, settings: present(settings), nowMs });
      sites.refreshNow();
      return answer(site, services);
    },
  });
  app.get('/api/v1/sites/:site', {
    config: { access: 'sites:read' },
    handler: async (request) => answer(siteOf(request.params, services), services),
  });
  app.put('/api/v1/sites/:site', {
    config: { access: 'sites:write' },
    handler: async (request) => {
      const site = siteOf(request.params, services);
      const { domain, timezone, settings } = readSiteChange(request.body);
      if (timezone !== undefined) requireTimeZone(timezone);
      const changed = journal.sites.update(site.id, {
        ...(domain === undefined ? {} : { domain }),
        ...(timezone === undefined ? {} : { timezone, nowMs: services.clock.nowMs() }),
        ...(settings === undefined ? {} : { settings: present(settings) }),
      });
      sites.refreshNow();
      return answer(changed, services);
    },
  });
  app.delete('/api/v1/sites/:site', {
    config: { access: 'sites:write' },
    handler: async (request) => {
      const site = siteOf(request.params, services);
      const nowMs = services.clock.nowMs();
      journal.sites.remove(site.id, nowMs);
      sites.refreshNow();
      services.queue.keepUp(nowMs);
      return { deleted: true };
    },
  });
}

/** `settings` without the entries that are undefined. */
function present(settings: Partial<SiteSettings>): Partial<SiteSettings> {
  return Object.fromEntries(Object.entries(settings).filter(([, value]) => value !== undefined));
}

function answer(site: Site, services: Services): Record<string, unknown> {
  return {
    domain: site.domain,
    timezone: site.timezone,
    custom_properties: site.settings.customProperties,
    settings: site.settings,
    snippet: snippetOf(site, services.configuration.baseUrl),
  };
}

/** @throws HttpError `bad_request`. */
function requireTimeZone(name: string): void {
  if (isTimeZone(name)) return;
  throw new HttpError('bad_request', `'${name.slice(0, 64)}' is no time zone.`, {
    hint: 'Use an IANA name such as Europe/Berlin.',
  });
}

/** @throws HttpError `unknown_site`. */
function siteOf(params: unknown, services: Services): Site {
  const { site } = params as { readonly site: string };
  return siteNamed(site, services);
}

/**
 * The site that a request means by `domain`.
 *
 * @throws HttpError `bad_request` without a name, `unknown_site` when there is none of it.
 */
export function siteNamed(domain: unknown, services: Services): Site {
  if (typeof domain !== 'string' || domain === '') {
    throw new HttpError('bad_request', "'site_id' is missing.", {
      hint: "It is the site's domain, such as example.org.",
    });
  }
  const site = services.sites.byDomain(domain.toLowerCase());
  if (site !== undefined) return site;
  throw new HttpError('unknown_site', `There is no site '${domain.slice(0, 253)}' here.`, {
    hint: "'loggia site list' shows those there are.",
  });
}
