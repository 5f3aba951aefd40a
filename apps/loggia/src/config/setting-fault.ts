import { ConfigError } from './config-error.ts';
import { nearestName } from './nearest-name.ts';
import type { Origin } from './origin.ts';
import type { Setting } from './settings.ts';

/** A setting whose parser refused its text; `problem` fits after 'which'. */
export function badSetting(
  setting: Setting<unknown>,
  origin: Origin,
  problem: string,
): ConfigError {
  const where = origin.kind === 'file' ? `${setting.name} in ${origin.name}` : origin.name;
  return new ConfigError('bad_setting', `${where} is '${origin.text}', which ${problem}.`, {
    hint: `Write ${setting.expects}, for example ${exampleOf(setting, origin)}.`,
  });
}

function exampleOf(setting: Setting<unknown>, origin: Origin): string {
  if (origin.kind === 'flag') return `${origin.name} ${setting.example}`;
  if (origin.kind === 'environment') return `${origin.name}=${setting.example}`;
  return `'${setting.name}: ${setting.example}'`;
}

/** A variable with our prefix that is no setting. */
export function unknownVariable(
  variable: string,
  text: string,
  known: readonly string[],
): ConfigError {
  const isPort = variable === 'LOGGIA_PORT' || variable === 'LOGGIA_HOST';
  const nearest = isPort ? 'LOGGIA_LISTEN' : nearestName(variable, known);
  return new ConfigError(
    'unknown_setting',
    `${variable} is set to '${text}' in the environment, but no setting has that name.`,
    { hint: suggestion(nearest) },
  );
}

/** A key of the configuration file that is no setting. */
export function unknownKey(name: string, filePath: string, known: readonly string[]): ConfigError {
  const isPort = name === 'port' || name === 'host';
  const nearest = isPort ? 'listen' : nearestName(name, known);
  return new ConfigError(
    'unknown_setting',
    `${name} stands in ${filePath}, but no setting has that name.`,
    { hint: suggestion(nearest) },
  );
}

function suggestion(nearest: string | undefined): string {
  const rest = "'loggia help serve' lists all settings.";
  return nearest === undefined
    ? `Remove it; ${rest}`
    : `Did you mean ${nearest}? If not, remove it.`;
}

/** The problem with what to do about it, as one line. */
export function sentenceOf(problem: ConfigError): string {
  return problem.hint === undefined ? problem.message : `${problem.message} ${problem.hint}`;
}
