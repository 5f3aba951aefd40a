import { SETTING_ENTRIES } from '../config/settings.ts';
import type { Command, CommandFlag } from './command.ts';

/** Settings that every command takes which opens the data folder. */
const SITE_SETTINGS = ['data_dir', 'base_url'];

/** Flags that every command takes. */
export const COMMON_FLAGS: Readonly<Record<string, CommandFlag>> = {
  config: { value: 'FILE', summary: 'Read this configuration file instead of ./loggia.yml.' },
  json: { value: null, summary: 'Print one JSON object, also for errors.' },
  help: { value: null, summary: 'Explain the command.' },
};

/** The settings that `command` has flags for, in the order of the table. */
export function settingNamesOf(command: Command): readonly string[] {
  if (command.settings === 'none') return [];
  const names = SETTING_ENTRIES.map(([, setting]) => setting.name);
  return command.settings === 'all' ? names : names.filter((name) => SITE_SETTINGS.includes(name));
}
