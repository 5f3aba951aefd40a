import { Type } from 'typebox';
import type { FastifyInstance } from 'fastify';
import { HttpError, type Goal, type Site } from '@loggia/contract';
import { CUSTOM_PROPERTIES_MAX } from '@loggia/contract/schemas';
import { pageOf, readPaging } from '../paging.ts';
import { bodyReader } from '../read-body.ts';
import type { Services } from '../services.ts';
import { siteNamed } from './site-routes.ts';

const Name = Type.String({ minLength: 1, maxLength: 120 });
const Pattern = Type.String({ minLength: 1, maxLength: 2000, pattern: '^/' });
const readGoal = bodyReader(
  Type.Object({
    site_id: Type.String(),
    goal_type: Type.Enum(['event', 'page', 'scroll']),
    event_name: Type.Optional(Name),
    page_path: Type.Optional(Pattern),
    scroll_threshold: Type.Optional(Type.Integer({ minimum: 1, maximum: 100 })),
    display_name: Type.Optional(Name),
    currency: Type.Optional(Type.String({ pattern: '^[A-Z]{3}$' })),
  }),
);
const readSiteId = bodyReader(Type.Object({ site_id: Type.String() }));
const readProperty = bodyReader(
  Type.Object({ site_id: Type.String(), property: Type.String({ minLength: 1, maxLength: 300 }) }),
);
type GoalBody = ReturnType<typeof readGoal>;

/** Plausible's Sites API: goals and custom properties of a site. */
export function addGoalRoutes(app: FastifyInstance, services: Services): void {
  const { journal, sites } = services;
  app.get('/api/v1/sites/goals', {
    config: { access: 'sites:read' },
    handler: async (request) => {
      const query = request.query as Readonly<Record<string, string | undefined>>;
      const goals = sites.goalsOf(siteNamed(query['site_id'], services).id);
      const entries = goals.map((goal) => ({ key: String(goal.id), item: answer(goal) }));
      const { items, meta } = pageOf(entries, readPaging(query));
      return { goals: items, meta };
    },
  });
  app.put('/api/v1/sites/goals', {
    config: { access: 'sites:write' },
    handler: async (request) => {
      const body = readGoal(request.body);
      const site = siteNamed(body.site_id, services);
      const goal = createGoal(site, body, services);
      sites.refreshNow();
      return { domain: site.domain, ...answer(goal) };
    },
  });
  app.delete('/api/v1/sites/goals/:goal', {
    config: { access: 'sites:write' },
    handler: async (request) => {
      const { goal } = request.params as { readonly goal: string };
      const query = request.query as Readonly<Record<string, string | undefined>>;
      const siteId = query['site_id'] ?? readSiteId(request.body).site_id;
      const site = siteNamed(siteId, services);
      if (!/^\d{1,15}$/.test(goal) || !journal.goals.remove(site.id, Number(goal))) {
        throw new HttpError('not_found', 'The site has no such goal.');
      }
      sites.refreshNow();
      return { deleted: true };
    },
  });
  addPropertyRoutes(app, services);
}

function addPropertyRoutes(app: FastifyInstance, services: Services): void {
  app.get('/api/v1/sites/custom-props', {
    config: { access: 'sites:read' },
    handler: async (request) => {
      const query = request.query as Readonly<Record<string, string | undefined>>;
      const { customProperties } = siteNamed(query['site_id'], services).settings;
      return { custom_properties: customProperties.map((property) => ({ property })) };
    },
  });
  app.put('/api/v1/sites/custom-props', {
    config: { access: 'sites:write' },
    handler: async (request) => {
      const { site_id: siteId, property } = readProperty(request.body);
      const site = siteNamed(siteId, services);
      const properties = new Set([...site.settings.customProperties, property]);
      if (properties.size > CUSTOM_PROPERTIES_MAX) {
        const message = `A site lists ${CUSTOM_PROPERTIES_MAX} custom properties at most.`;
        throw new HttpError('bad_request', message, {
          hint: 'All properties are stored, listed or not.',
        });
      }
      changeProperties(site, Array.from(properties), services);
      return { created: true };
    },
  });
  app.delete('/api/v1/sites/custom-props/:property', {
    config: { access: 'sites:write' },
    handler: async (request) => {
      const { property } = request.params as { readonly property: string };
      const query = request.query as Readonly<Record<string, string | undefined>>;
      const site = siteNamed(query['site_id'] ?? readSiteId(request.body).site_id, services);
      const left = site.settings.customProperties.filter((each) => each !== property);
      changeProperties(site, left, services);
      return { deleted: true };
    },
  });
}

function changeProperties(site: Site, customProperties: string[], services: Services): void {
  services.journal.sites.update(site.id, { settings: { customProperties } });
  services.sites.refreshNow();
}

/** @throws HttpError `bad_request` when the goal's aim is not given. */
function createGoal(site: Site, body: GoalBody, services: Services): Goal {
  const { goals } = services.journal;
  const naming = body.display_name === undefined ? {} : { displayName: body.display_name };
  switch (body.goal_type) {
    case 'event': {
      const eventName = required(body.event_name, 'event_name');
      const currency = body.currency === undefined ? {} : { currency: body.currency };
      return goals.create({ siteId: site.id, kind: 'event', eventName, ...naming, ...currency });
    }
    case 'page': {
      const pagePattern = required(body.page_path, 'page_path');
      return goals.create({ siteId: site.id, kind: 'page', pagePattern, ...naming });
    }
    case 'scroll':
      return goals.create({
        siteId: site.id,
        kind: 'scroll',
        pagePattern: required(body.page_path, 'page_path'),
        scrollThreshold: required(body.scroll_threshold, 'scroll_threshold'),
        ...naming,
      });
  }
}

function required<Value>(value: Value | undefined, field: string): Value {
  if (value !== undefined) return value;
  throw new HttpError('bad_request', `'${field}' is missing for a goal of this type.`);
}

function answer(goal: Goal): Record<string, unknown> {
  return {
    id: String(goal.id),
    goal_type: goal.kind,
    display_name: goal.displayName,
    event_name: goal.eventName,
    page_path: goal.pagePattern,
    ...(goal.scrollThreshold === null ? {} : { scroll_threshold: goal.scrollThreshold }),
    ...(goal.currency === null ? {} : { currency: goal.currency }),
  };
}
