export { QueryBody } from './query-body.ts';
export { CUSTOM_PROPERTIES_MAX, SiteSettingsSchema } from './site-settings-schema.ts';
