export { QueryBody } from './query-body.ts';
export { SiteSettingsSchema } from './site-settings-schema.ts';
