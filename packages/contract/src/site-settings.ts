import type { Static } from 'typebox';
import type { SiteSettingsSchema } from './site-settings-schema.ts';

/** Settings of one site; `SiteSettingsSchema` says what each is. */
export type SiteSettings = Static<typeof SiteSettingsSchema>;

/** What a site has that was not told otherwise. */
export const DEFAULT_SITE_SETTINGS: SiteSettings = Object.freeze({
  allowedHosts: [],
  excludedPages: [],
  excludedAddresses: [],
  honourOptOut: false,
  dropDatacentre: false,
  scriptFeatures: [],
  customProperties: [],
  retentionDays: 0,
  keepRollups: false,
});
