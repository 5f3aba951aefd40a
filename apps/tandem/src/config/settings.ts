import { HTTP_SETTINGS } from './http-settings.ts';
import { LEASE_SETTINGS } from './lease-settings.ts';
import { PROCESS_SETTINGS } from './process-settings.ts';
import type { Setting } from './setting.ts';
import { STORAGE_SETTINGS } from './storage-settings.ts';

/**
 * All keys of `tandem.yml` by their path. Reading, `config check`, variables, `--set` and
 * `docs/reference/tandem-configuration.md` go by this table. No key may end in port, host or addr:
 * Kubernetes makes such variables for a Service called `tandem`.
 */
export const SETTINGS = {
  ...STORAGE_SETTINGS,
  ...LEASE_SETTINGS,
  ...HTTP_SETTINGS,
  ...PROCESS_SETTINGS,
} as const;

/** The path of a key: `http.listen`. */
export type SettingKey = keyof typeof SETTINGS;

type ValueOf<Entry> = Entry extends Setting<infer Value> ? Value : never;

/** The parsed value of each key; null where it has neither value nor default. */
export type SettingValues = {
  readonly [Key in SettingKey]: ValueOf<(typeof SETTINGS)[Key]>;
};

/** All keys with what is known of them, in the order of the table. */
export const SETTING_ENTRIES: readonly (readonly [SettingKey, Setting<unknown>])[] = Object.entries(
  SETTINGS,
).map(([key, entry]) => [key as SettingKey, entry] as const);

/** All keys, in the order of the table. */
export const SETTING_KEYS: readonly SettingKey[] = SETTING_ENTRIES.map(([key]) => key);

/** Whether there is a key of that path. */
export function isSettingKey(path: string): path is SettingKey {
  return Object.hasOwn(SETTINGS, path);
}

/** The environment variable of a key: `http.listen` becomes `TANDEM_HTTP_LISTEN`. */
export function variableOf(key: string): string {
  return `TANDEM_${key.toUpperCase().replaceAll(/[-.]/g, '_')}`;
}
