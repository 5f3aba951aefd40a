import { dirname } from 'node:path';
import { assert } from '@tandem/base';
import { ConfigError } from './config-error.ts';
import { parseConfigurationFile } from './configuration-file.ts';
import { baseUrlOfListenAddress } from './listen-address.ts';
import type { Origin } from './origin.ts';
import type { Parsed } from './parsed.ts';
import { isServiceLink } from './service-link.ts';
import { badSetting, sentenceOf, unknownKey, unknownVariable } from './setting-fault.ts';
import {
  SETTING_ENTRIES,
  SETTINGS,
  flagOf,
  variableOf,
  type Setting,
  type SettingKey,
  type SettingValues,
} from './settings.ts';

/** Something worth telling the operator that does not stop the start. */
export interface Notice {
  readonly kind: 'service_link';
  /** The variable that the notice is about. */
  readonly name: string;
  readonly message: string;
}

/** The values the program runs with; all paths are absolute. */
export type ConfigurationValues = Omit<SettingValues, 'baseUrl'> & {
  /** Without trailing slash. Made from `listen` when it is not set. */
  readonly baseUrl: string;
};

/** A complete configuration. */
export interface Configuration {
  readonly values: ConfigurationValues;
  readonly origins: Readonly<Record<SettingKey, Origin>>;
  readonly notices: readonly Notice[];
  /** The configuration file that was read, or null. */
  readonly filePath: string | null;
}

/** Everything that a configuration is made of, as the outside world gives it. */
export interface ConfigurationSources {
  /** Text by the setting's name (`data_dir`). */
  readonly flags: Readonly<Record<string, string>>;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly fileText: string | null;
  readonly filePath: string | null;
  /** An absolute path. */
  readonly cwd: string;
}

/** A configuration with all that is wrong with it; what is wrong has its default value. */
export interface ConfigurationReport {
  readonly configuration: Configuration;
  readonly problems: readonly ConfigError[];
}

const PREFIX = 'LOGGIA_';
const FILE_VARIABLE = 'LOGGIA_CONFIG';

/**
 * Flags over environment over file over defaults.
 *
 * @throws ConfigError for the first thing that is wrong; when there is more, its sentences follow in
 *   the message.
 */
export function resolveConfiguration(sources: ConfigurationSources): Configuration {
  return resolvedOrThrow(inspectConfiguration(sources));
}

/**
 * The configuration of a report in which nothing is wrong.
 *
 * @throws ConfigError as `resolveConfiguration`.
 */
export function resolvedOrThrow({ configuration, problems }: ConfigurationReport): Configuration {
  const [first, ...rest] = problems;
  if (first === undefined) return configuration;
  if (rest.length === 0) throw first;
  throw new ConfigError(first.code, problems.map(sentenceOf).join('\n'), { cause: first });
}

/** As `resolveConfiguration`, but collects what is wrong instead of throwing it. */
export function inspectConfiguration(sources: ConfigurationSources): ConfigurationReport {
  const problems: ConfigError[] = [];
  const notices: Notice[] = [];
  const texts: TextsByName[] = [
    textsOfFlags(sources),
    textsOfEnvironment(sources, { problems, notices }),
    textsOfFile(sources, problems),
  ];
  const values: Partial<Record<SettingKey, unknown>> = {};
  const origins: Partial<Record<SettingKey, Origin>> = {};
  for (const [key, setting] of SETTING_ENTRIES) {
    const { value, origin } = resolveSetting(setting, { texts, sources, problems });
    values[key] = value;
    origins[key] = origin;
  }
  const parsed = values as SettingValues;
  return {
    configuration: {
      values: { ...parsed, baseUrl: parsed.baseUrl ?? baseUrlOfListenAddress(parsed.listen) },
      origins: origins as Record<SettingKey, Origin>,
      notices,
      filePath: sources.filePath,
    },
    problems,
  };
}

type TextsByName = ReadonlyMap<string, Origin>;

function resolveSetting(
  setting: Setting<unknown>,
  from: {
    readonly texts: readonly TextsByName[];
    readonly sources: ConfigurationSources;
    readonly problems: ConfigError[];
  },
): { readonly value: unknown; readonly origin: Origin } {
  const origin = from.texts.map((texts) => texts.get(setting.name)).find((found) => found);
  if (origin !== undefined) {
    const parsed = parseText(setting, origin, from.sources);
    if ('value' in parsed) return { value: parsed.value, origin };
    from.problems.push(badSetting(setting, origin, parsed.problem));
  }
  const byDefault = setting.parse(setting.defaultText, { folder: from.sources.cwd });
  assert('value' in byDefault, `the default of ${setting.name} is valid`);
  return {
    value: byDefault.value,
    origin: { kind: 'default', name: '', text: setting.defaultText },
  };
}

function parseText(
  setting: Setting<unknown>,
  origin: Origin,
  sources: ConfigurationSources,
): Parsed<unknown> {
  if (origin.kind === 'flag' && origin.text === '') return { problem: 'is empty' };
  const folder = origin.kind === 'file' ? dirname(origin.name) : sources.cwd;
  return setting.parse(origin.text, { folder });
}

function textsOfFlags(sources: ConfigurationSources): TextsByName {
  const texts = new Map<string, Origin>();
  for (const [name, text] of Object.entries(sources.flags)) {
    texts.set(name, { kind: 'flag', name: `--${flagOf(name)}`, text: text.trim() });
  }
  return texts;
}

function textsOfEnvironment(
  sources: ConfigurationSources,
  found: { readonly problems: ConfigError[]; readonly notices: Notice[] },
): TextsByName {
  const names = new Map(SETTING_ENTRIES.map(([, { name }]) => [variableOf(name), name]));
  const texts = new Map<string, Origin>();
  for (const [variable, value] of Object.entries(sources.env)) {
    const text = value?.trim() ?? '';
    if (!variable.startsWith(PREFIX) || text === '' || variable === FILE_VARIABLE) continue;
    const name = names.get(variable);
    if (name !== undefined) texts.set(name, { kind: 'environment', name: variable, text });
    else if (isServiceLink(variable, text)) found.notices.push(serviceLinkNotice(variable, text));
    else found.problems.push(unknownVariable(variable, text, [...names.keys(), FILE_VARIABLE]));
  }
  return texts;
}

function textsOfFile(sources: ConfigurationSources, problems: ConfigError[]): TextsByName {
  const texts = new Map<string, Origin>();
  if (sources.fileText === null || sources.filePath === null) return texts;
  const settings = new Map<string, Setting<unknown>>(
    Object.values(SETTINGS).map((entry) => [entry.name, entry]),
  );
  try {
    for (const entry of parseConfigurationFile(sources.fileText, sources.filePath)) {
      const setting = settings.get(entry.name);
      const origin = {
        kind: 'file',
        name: sources.filePath,
        text: entry.text?.trim() ?? '',
      } as const;
      if (setting === undefined) {
        problems.push(unknownKey(entry.name, sources.filePath, [...settings.keys()]));
      } else if (entry.isList && setting.isList !== true) {
        problems.push(badSetting(setting, origin, 'is a list'));
      } else if (entry.isList || origin.text !== '') {
        texts.set(entry.name, origin);
      }
    }
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    problems.push(error);
  }
  return texts;
}

function serviceLinkNotice(name: string, text: string): Notice {
  return {
    kind: 'service_link',
    name,
    message:
      `${name}=${text} is ignored: Kubernetes sets it for a Service of that name. ` +
      `'enableServiceLinks: false' in the pod's specification takes such variables away.`,
  };
}
