import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { HttpError } from '@loggia/contract';
import { scriptNamed, scriptWith, type Script } from '@loggia/tracker';
import type { Services } from '../services.ts';

/** Long enough to spare requests, short enough for a fix to arrive within the day. */
const SCRIPT_CACHE = 'public, max-age=86400, stale-while-revalidate=604800';
/** A site's own script changes with its settings. */
const SITE_SCRIPT_CACHE = 'public, max-age=3600, stale-while-revalidate=86400';

/** The browser script under Plausible's names, and each site's own under `/js/pa-ID.js`. */
export function addScriptRoutes(app: FastifyInstance, services: Services): void {
  app.get('/js/:name', {
    config: { access: 'public' },
    handler: async (request, reply) => {
      const { name } = request.params as { readonly name: string };
      const own = /^pa-([A-Za-z0-9]+)\.js$/.exec(name)?.[1];
      const script = own === undefined ? scriptNamed(name) : scriptOfSite(own, services);
      if (script === undefined) {
        throw new HttpError('not_found', `There is no script '${name}'.`, {
          hint: 'The script is /js/script.js; extensions go between the name and .js.',
        });
      }
      reply.header('cache-control', own === undefined ? SCRIPT_CACHE : SITE_SCRIPT_CACHE);
      return sendScript(request, reply, script);
    },
  });
}

function scriptOfSite(scriptId: string, services: Services): Script | undefined {
  const site = services.sites.byScriptId(scriptId);
  if (site === undefined) return undefined;
  return scriptWith(site.settings.scriptFeatures, { domain: site.domain });
}

function sendScript(request: FastifyRequest, reply: FastifyReply, script: Script): FastifyReply {
  reply
    .type('application/javascript; charset=utf-8')
    .header('etag', script.etag)
    .header('vary', 'accept-encoding')
    .header('access-control-allow-origin', '*')
    .header('cross-origin-resource-policy', 'cross-origin')
    .header('x-content-type-options', 'nosniff');
  if (matchesEtag(request.headers['if-none-match'], script.etag)) return reply.code(304).send();
  const encodings = acceptedEncodings(request.headers['accept-encoding']);
  if (encodings.has('br')) return reply.header('content-encoding', 'br').send(script.brotli);
  if (encodings.has('gzip')) return reply.header('content-encoding', 'gzip').send(script.gzip);
  return reply.send(script.body);
}

/** Whether one of the tags in `If-None-Match` is `etag`, compared weakly. */
export function matchesEtag(header: string | undefined, etag: string): boolean {
  if (header === undefined) return false;
  const bare = (tag: string): string => tag.trim().replace(/^W\//, '');
  return header.split(',').some((tag) => tag.trim() === '*' || bare(tag) === bare(etag));
}

/** The encodings that `Accept-Encoding` names and does not refuse with `q=0`. */
export function acceptedEncodings(header: string | undefined): ReadonlySet<string> {
  const accepted = new Set<string>();
  for (const entry of (header ?? '').split(',')) {
    const [name = '', ...parameters] = entry
      .trim()
      .toLowerCase()
      .split(/\s*;\s*/);
    const isRefused = parameters.some((parameter) => /^q=0(?:\.0*)?$/.test(parameter));
    if (!isRefused) accepted.add(name);
  }
  return accepted;
}
