import { Type } from 'typebox';
import { SCRIPT_FEATURES } from './script-feature.ts';

const text = (lengthMax: number) => Type.String({ minLength: 1, maxLength: lengthMax });

/** Custom properties that a site may list. */
export const CUSTOM_PROPERTIES_MAX = 300;

/** Settings of one site; what is absent has its default. */
export const SiteSettingsSchema = Type.Object(
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
    customProperties: Type.Array(text(300), { maxItems: CUSTOM_PROPERTIES_MAX }),
    /** Days after which visits are deleted; 0: never. */
    retentionDays: Type.Integer({ minimum: 0, maximum: 36_500 }),
    /** Whether sums by day and value outlive the visits that retention deletes. */
    keepRollups: Type.Boolean(),
  },
  { additionalProperties: false },
);
