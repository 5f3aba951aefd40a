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
