import { ConfigError } from './config-error.ts';
import { scalarOf, textOf, type MapNode } from './config-node.ts';
import { expandTree } from './expanded-tree.ts';
import { detectFormat, formatByKeys, type FileFormat } from './file-format.ts';
import type { Findings } from './findings.ts';
import { flattenKeys } from './flat-keys.ts';
import { quoted, subjectOf, type GivenValue } from './given-value.ts';
import { LITEFS_DEFAULTS, LITEFS_KEYS } from './litefs-keys.ts';
import { translateLitefs } from './litefs-file.ts';
import type { Machine } from './machine.ts';
import { parseNodeName } from './node-name.ts';
import type { Environment, GivenValues } from './overriding-values.ts';
import { SETTING_KEYS, isSettingKey, type SettingKey } from './settings.ts';
import { reportUnknownKey } from './unknown-key.ts';
import { parseYamlTree } from './yaml-tree.ts';

/** The text of a configuration file. */
export interface ConfigFile {
  /** Absolute. */
  readonly path: string;
  readonly text: string;
}

/** What a file gives, under the keys of `tandem.yml` whichever its format. */
export interface FileValues {
  readonly path: string | null;
  readonly format: FileFormat;
  readonly values: GivenValues;
  /** False when it is no YAML map, so that nothing is known of what it should say. */
  readonly isReadable: boolean;
}

interface FileSources {
  readonly file: ConfigFile | null;
  readonly env: Environment;
  readonly machine: Machine;
  readonly expandsVariables?: boolean;
}

/** Reads the file, whichever format it has. What is wrong with it goes to `findings`. */
export function readFileValues(
  sources: FileSources,
  overrides: GivenValues,
  findings: Findings,
): FileValues {
  const { file } = sources;
  if (file === null) return { path: null, format: 'tandem', values: new Map(), isReadable: true };
  const { path } = file;
  let root: MapNode;
  try {
    root = parseYamlTree(file.text, path);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    findings.error(error.code, null, error.message, error.hint ?? '');
    return { path, format: 'tandem', values: new Map(), isReadable: false };
  }
  const format = detectFormat(path, root);
  warnOfOtherFormat(root, format, path, findings);
  if (sources.expandsVariables !== false) {
    const lookUp = lookUpIn(sources, path, findings);
    root = expandTree(root, { file: path, lookUp }, findings);
  }
  const keys = format === 'litefs' ? [...LITEFS_KEYS.keys()] : SETTING_KEYS;
  const flat = flattenKeys(root, path, keys);
  for (const given of flat.unknown) reportUnknownKey(given, format, findings);
  for (const given of flat.misplaced) reportMisplaced(given, keys, findings);
  const values =
    format === 'litefs'
      ? litefsValues(flat.known, sources, overrides, findings)
      : tandemValues(flat.known);
  return { path, format, values, isReadable: true };
}

function tandemValues(known: ReadonlyMap<string, GivenValue>): GivenValues {
  const values = new Map<SettingKey, GivenValue>();
  for (const [path, given] of known) if (isSettingKey(path)) values.set(path, given);
  return values;
}

function litefsValues(
  known: ReadonlyMap<string, GivenValue>,
  { env, machine }: FileSources,
  overrides: GivenValues,
  findings: Findings,
): GivenValues {
  const values = new Map<SettingKey, GivenValue>();
  for (const [key, text] of LITEFS_DEFAULTS) {
    const entry = [...LITEFS_KEYS].find(([, one]) => one.kind === 'same' && one.becomes === key);
    const name = entry?.[0] ?? key;
    if (findings.hasErrorAbout(name)) continue;
    values.set(key, { name, origin: { kind: 'default' }, node: scalarOf(text) });
  }
  const named = overrides.get('node.name');
  const podName = env['POD_NAME']?.trim() ?? '';
  const isPod = 'value' in parseNodeName(podName);
  const ownName = named === undefined ? (isPod ? podName : machine.hostName) : textOf(named.node);
  const translated = translateLitefs(known, { ownName, overrides }, findings);
  for (const [key, given] of translated) values.set(key, given);
  warnOfCloud(env, findings);
  return values;
}

/** LiteFS began to back up as soon as this variable was set. */
function warnOfCloud(env: Environment, findings: Findings): void {
  if ((env['LITEFS_CLOUD_TOKEN'] ?? '') === '') return;
  findings.warn(
    'LITEFS_CLOUD_TOKEN',
    'LITEFS_CLOUD_TOKEN is set, but LiteFS Cloud ended in October 2024, so nothing is backed up to it.',
    'Set TANDEM_BACKUP_URL to a path or an s3:// address.',
  );
}

/** Variables by name; HOSTNAME is the name of the host when it is empty or names no machine. */
function lookUpIn(
  { env, machine }: FileSources,
  path: string,
  findings: Findings,
): (variable: string) => string | undefined {
  let isTold = false;
  return (variable) => {
    const value = env[variable];
    if (variable !== 'HOSTNAME' || 'value' in parseNodeName(value?.trim() ?? '')) return value;
    if (value !== undefined && value.trim() !== '' && !isTold) {
      isTold = true;
      findings.warn(
        'HOSTNAME',
        `HOSTNAME is '${value}', which names no machine; in ${path} it stands for the name of the host, ${machine.hostName}.`,
        'The image or a ConfigMap sets it, often for the application, which still gets it.',
      );
    }
    return machine.hostName;
  };
}

function warnOfOtherFormat(
  root: MapNode,
  format: FileFormat,
  path: string,
  findings: Findings,
): void {
  const byKeys = formatByKeys(root);
  if (byKeys === undefined || byKeys === format) return;
  findings.warn(
    null,
    `${path} is read as ${format}.yml for its name, but has the keys of ${byKeys}.yml.`,
    `Call it ${byKeys}.yml.`,
  );
}

function reportMisplaced(given: GivenValue, keys: readonly string[], findings: Findings): void {
  const below = keys
    .filter((key) => key.startsWith(`${given.name}.`))
    .map((key) => key.slice(given.name.length + 1));
  findings.error(
    'config_bad_value',
    given,
    `${subjectOf(given)} is ${quoted(given)}, where a section should be.`,
    `Write the keys below it: ${below.join(', ')}.`,
  );
}
