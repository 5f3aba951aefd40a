import { Type, type Static } from 'typebox';

/** What the browser script can do beyond page views and engagement, by Plausible's names. */
export const SCRIPT_FEATURES = [
  'hash',
  'outbound-links',
  'file-downloads',
  'form-submissions',
  'tagged-events',
  'revenue',
  'pageview-props',
  'exclusions',
  'local',
  'manual',
  'compat',
  '404',
  'gpc',
] as const;
export type ScriptFeature = (typeof SCRIPT_FEATURES)[number];

const text = (lengthMax: number) => Type.String({ minLength: 1, maxLength: lengthMax });

/** Settings of one site; what is absent has its default. */
export const SiteSettings = Type.Object(
  {
    /** Hosts whose events count: exact names, or `*.example.org` for any depth. Empty: all. */
    allowedHosts: Type.Array(text(253), { maxItems: 100 }),
    /** Pages left out: `*` within a segment, `**` across. */
    excludedPages: Type.Array(text(500), { maxItems: 200 }),
    /** Addresses left out: single ones or CIDR ranges. */
    excludedAddresses: Type.Array(text(64), { maxItems: 200 }),
    /** Drop events that carry Sec-GPC: 1 or DNT: 1. */
    honourOptOut: Type.Boolean(),
    /** Drop events from hosting companies' address ranges. */
    dropDatacentre: Type.Boolean(),
    /** Features of the site's own script, `/js/pa-ID.js`. */
    scriptFeatures: Type.Array(Type.Enum([...SCRIPT_FEATURES]), { maxItems: 20 }),
    /** Custom properties the owner has allowed to be listed; all are stored. */
    customProperties: Type.Array(text(300), { maxItems: 300 }),
  },
  { additionalProperties: false },
);
export type SiteSettings = Static<typeof SiteSettings>;

export const DEFAULT_SITE_SETTINGS: SiteSettings = Object.freeze({
  allowedHosts: [],
  excludedPages: [],
  excludedAddresses: [],
  honourOptOut: false,
  dropDatacentre: false,
  scriptFeatures: [],
  customProperties: [],
});
