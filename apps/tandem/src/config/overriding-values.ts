import { scalarOf } from './config-node.ts';
import type { Findings } from './findings.ts';
import type { GivenValue } from './given-value.ts';
import { nearestName } from './nearest-name.ts';
import { isSettingKey, SETTING_KEYS, variableOf, type SettingKey } from './settings.ts';
import { tandemHint } from './unknown-key.ts';

/** Environment variables by name. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** What was given for keys, by key. */
export type GivenValues = ReadonlyMap<SettingKey, GivenValue>;

/** The variable that names the configuration file. */
export const CONFIG_VARIABLE = 'TANDEM_CONFIG';

const PREFIX = 'TANDEM_';
/** What the daemon gives the programs it starts, which may be Tandem's own commands. */
const GIVEN_TO_PROGRAMS = new Set(['TANDEM_URL', 'TANDEM_PRIMARY_FILE', 'TANDEM_DATABASES']);
const SERVICE_NAME =
  /_SERVICE_(?:HOST|PORT(?:_[A-Z0-9_]+)?)$|_PORT_\d+_(?:TCP|UDP|SCTP)(?:_(?:PROTO|PORT|ADDR))?$/;
const SERVICE_VALUE = /^(?:tcp|udp|sctp):\/\//i;

/**
 * Whether a variable is one that Kubernetes sets in every pod for a Service of its namespace. One
 * called `tandem` makes `TANDEM_PORT=tcp://10.0.0.1:20202` and relatives.
 */
export function isServiceLink(name: string, value: string): boolean {
  return SERVICE_NAME.test(name) || (name.endsWith('_PORT') && SERVICE_VALUE.test(value));
}

/**
 * The keys that variables give (`TANDEM_HTTP_LISTEN`). Service links are ignored and named; other
 * variables with our prefix get a warning, unless the configuration file itself uses them.
 */
export function valuesOfEnvironment(
  env: Environment,
  usedByFile: ReadonlySet<string>,
  findings: Findings,
): GivenValues {
  const keys = new Map<string, SettingKey>(SETTING_KEYS.map((key) => [variableOf(key), key]));
  const values = new Map<SettingKey, GivenValue>();
  const links: string[] = [];
  for (const [name, text = ''] of Object.entries(env)) {
    if (!name.startsWith(PREFIX) || text.trim() === '' || name === CONFIG_VARIABLE) continue;
    const key = keys.get(name);
    if (isServiceLink(name, text)) links.push(`${name}=${text}`);
    else if (key !== undefined) {
      values.set(key, { name, origin: { kind: 'environment', name }, node: scalarOf(text) });
    } else if (!usedByFile.has(name) && !GIVEN_TO_PROGRAMS.has(name)) {
      const near = variablesLike(name, [...keys.keys(), CONFIG_VARIABLE]);
      const hint = near === '' ? 'Remove it.' : `Did you mean ${near}?`;
      findings.warn(name, `${name} is set in the environment, but no key has that name.`, hint);
    }
  }
  reportServiceLinks(links, findings);
  return values;
}

/** The keys that `--set key=value` gives. */
export function valuesOfFlags(flags: readonly string[], findings: Findings): GivenValues {
  const values = new Map<SettingKey, GivenValue>();
  for (const flag of flags) {
    const equals = flag.indexOf('=');
    const key = (equals === -1 ? flag : flag.slice(0, equals)).trim();
    if (!isSettingKey(key)) {
      const message = `--set ${flag} names no key of tandem.yml.`;
      findings.error('config_unknown_key', `--set ${key}`, message, tandemHint(key));
    } else if (equals === -1) {
      const message = `--set ${key} gives no value.`;
      findings.error('config_bad_value', `--set ${key}`, message, `Write --set ${key}=VALUE.`);
    } else {
      const name = `--set ${key}`;
      const node = scalarOf(flag.slice(equals + 1));
      values.set(key, { name, origin: { kind: 'flag', name }, node });
    }
  }
  return values;
}

/** The nearest variable, else those that end alike (`TANDEM_HTTP_TOKEN` for `TANDEM_TOKEN`). */
function variablesLike(name: string, known: readonly string[]): string {
  const near = nearestName(name, known);
  if (near !== undefined) return near;
  const ending = name.slice(PREFIX.length - 1);
  return known.filter((one) => one.endsWith(ending)).join(' or ');
}

function reportServiceLinks(links: readonly string[], findings: Findings): void {
  const [first, ...rest] = links;
  if (first === undefined) return;
  const more =
    rest.length === 0
      ? 'is ignored: Kubernetes sets it'
      : `and ${rest.length} more like it are ignored: Kubernetes sets them`;
  findings.info(
    first.slice(0, first.indexOf('=')),
    `${first} ${more} for a Service of that name.`,
    "'enableServiceLinks: false' in the pod's specification takes such variables away.",
  );
}
