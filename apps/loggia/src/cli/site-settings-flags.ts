import { SCRIPT_FEATURES, type ScriptFeature, type SiteSettings } from '@loggia/contract';
import { parseAddressRange } from '../config/address-range.ts';
import { nearestName } from '../config/nearest-name.ts';
import { onOrOff } from '../config/parse-setting.ts';
import { CommandError } from './command-error.ts';
import { flagValue, type Invocation } from './command.ts';

const NONE = 'none';
/** A hundred years. */
const RETENTION_DAYS_MAX = 36_500;
/** Exact names, `*.example.org`, and a port where the site has one. */
const HOST = /^(?:\*\.)?[\p{L}\p{N}](?:[\p{L}\p{M}\p{N}._-]*[\p{L}\p{M}\p{N}])?(?::\d{1,5})?$/u;

/**
 * The settings of a site that the flags name; the others are absent. A list replaces the site's
 * list, and `none` alone empties it.
 *
 * @throws CommandError `bad_value`.
 */
export function siteSettingsOf(invocation: Invocation): Partial<SiteSettings> {
  const list = (flag: string, countMax: number, check: (item: string) => string) =>
    listOf(invocation.flags.get(flag), { flag, countMax, check });
  const settings = {
    allowedHosts: list('allow-host', 100, parseHost),
    excludedPages: list('exclude-page', 200, parsePage),
    excludedAddresses: list('exclude-address', 200, parseAddress),
    customProperties: list('custom-property', 300, parseProperty),
    scriptFeatures: parseFeatures(flagValue(invocation, 'features')),
    honourOptOut: parseSwitch('honour-opt-out', flagValue(invocation, 'honour-opt-out')),
    dropDatacentre: parseSwitch('drop-datacentre', flagValue(invocation, 'drop-datacentre')),
    retentionDays: parseRetention(flagValue(invocation, 'retention-days')),
    keepRollups: parseSwitch('keep-rollups', flagValue(invocation, 'keep-rollups')),
  };
  return Object.fromEntries(Object.entries(settings).filter(([, value]) => value !== undefined));
}

function listOf(
  values: readonly string[] | undefined,
  rules: {
    readonly flag: string;
    readonly countMax: number;
    readonly check: (item: string) => string;
  },
): string[] | undefined {
  if (values === undefined) return undefined;
  if (values.length === 1 && values[0] === NONE) return [];
  if (values.length > rules.countMax) {
    throw bad(`--${rules.flag} is given ${values.length} times.`, `At most ${rules.countMax} fit.`);
  }
  return [...new Set(values.map((value) => rules.check(value.trim())))];
}

function parseHost(text: string): string {
  const host = text.toLowerCase().replace(/\.$/, '');
  if (HOST.test(host) && host.length <= 253) return host;
  throw bad(`--allow-host is '${text}', which is no host.`, 'Write example.org or *.example.org.');
}

function parsePage(text: string): string {
  if (/^[/*]/.test(text) && text.length <= 500) return text;
  throw bad(
    `--exclude-page is '${text}', which does not begin with a slash.`,
    'Write a path such as /admin/**.',
  );
}

function parseAddress(text: string): string {
  const parsed = parseAddressRange(text);
  if ('problem' in parsed) {
    throw bad(`--exclude-address ${parsed.problem}.`, 'Write an IP address or a CIDR range.');
  }
  return text;
}

function parseProperty(text: string): string {
  if (text !== '' && Array.from(text).length <= 300) return text;
  throw bad(`--custom-property is '${text}'.`, 'Write a name of 1 to 300 characters.');
}

function parseFeatures(text: string | undefined): ScriptFeature[] | undefined {
  if (text === undefined) return undefined;
  const names = text.split(/[\s,]+/).filter((name) => name !== '' && name !== NONE);
  return [...new Set(names.map(parseFeature))];
}

function parseFeature(name: string): ScriptFeature {
  const feature = SCRIPT_FEATURES.find((known) => known === name.toLowerCase());
  if (feature !== undefined) return feature;
  const nearest = nearestName(name, SCRIPT_FEATURES);
  const meant = nearest === undefined ? '' : `Did you mean ${nearest}? `;
  throw bad(
    `--features names '${name}', which the script does not have.`,
    `${meant}There are ${SCRIPT_FEATURES.join(', ')}.`,
  );
}

function parseRetention(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  if (text === NONE) return 0;
  const days = Number(text);
  if (/^\d+$/.test(text) && days >= 1 && days <= RETENTION_DAYS_MAX) return days;
  throw bad(
    `--retention-days is '${text}'.`,
    `Write a whole number of days up to ${RETENTION_DAYS_MAX}, or none.`,
  );
}

function parseSwitch(flag: string, text: string | undefined): boolean | undefined {
  if (text === undefined) return undefined;
  const parsed = onOrOff(text);
  if ('value' in parsed) return parsed.value;
  throw bad(`--${flag} is '${text}', which ${parsed.problem}.`, `Write --${flag} on or off.`);
}

function bad(message: string, hint: string): CommandError {
  return new CommandError('bad_value', message, { hint });
}
