import { backupConfigOf } from './backup-config.ts';
import { acknowledgeConfigOf, clusterConfigOf } from './cluster-config.ts';
import { commandsConfigOf } from './command-config.ts';
import { ConfigError } from './config-error.ts';
import { Draft, type ShownValue } from './draft.ts';
import { readFileValues, type ConfigFile } from './file-values.ts';
import type { FileFormat } from './file-format.ts';
import { Findings, type ConfigNote } from './findings.ts';
import { subjectOf } from './given-value.ts';
import { foldersOf, refuseBackupAmongDatabases } from './folder-config.ts';
import { httpConfigOf } from './http-config.ts';
import { isAloneBy, leaseConfigOf } from './lease-config.ts';
import type { Machine } from './machine.ts';
import { nodeConfigOf, nodeNameOf } from './node-config.ts';
import { valuesOfEnvironment, valuesOfFlags, type Environment } from './overriding-values.ts';
import { proxyConfigOf } from './proxy-config.ts';
import type { SettingKey } from './settings.ts';
import type { TandemConfig } from './tandem-config.ts';

/** Everything that a configuration is made of, as the outside world gives it. */
export interface ConfigSources {
  /** Null when there is no file. */
  readonly file: ConfigFile | null;
  /** What `--set` gives, each as `key=value`. */
  readonly flags: readonly string[];
  /** The words after `--`, which replace `exec`; null when there is none. */
  readonly command: readonly string[] | null;
  readonly env: Environment;
  readonly machine: Machine;
  /** False leaves `$NAME` in the file as it is. */
  readonly expandsVariables?: boolean;
}

/** A configuration with all that is to be said about it. */
export interface ConfigReport {
  /** Null when there are notes of level `error`. */
  readonly config: TandemConfig | null;
  readonly notes: readonly ConfigNote[];
  /** Every key with its value and where that came from, as far as they could be told. */
  readonly values: ReadonlyMap<SettingKey, ShownValue>;
  readonly filePath: string | null;
  readonly format: FileFormat;
}

/**
 * Flags over environment over file over defaults. Nothing is thrown and nothing is changed; what is
 * wrong stands in the notes, all of it, so that one look is enough to correct it.
 */
export function resolveConfig(sources: ConfigSources): ConfigReport {
  const findings = new Findings();
  const { env, machine } = sources;
  const flags = valuesOfFlags(sources.flags, findings);
  const environment = valuesOfEnvironment(env, variablesUsedBy(sources), findings);
  const overrides = new Map([...environment, ...flags]);
  const file = readFileValues(sources, overrides, findings);
  const given = new Map([...file.values, ...overrides]);
  const { path: filePath, format } = file;
  const draft = new Draft({ filePath, format, given, env, machine, findings });
  const config = file.isReadable ? configOf(draft, sources.command) : undefined;
  return {
    config: config === undefined || findings.hasErrors ? null : deepFrozen(config),
    notes: findings.notes,
    values: draft.shown(),
    filePath,
    format,
  };
}

/**
 * The configuration of a report without errors.
 *
 * @throws ConfigError with the code of the first error and the sentences of all.
 */
export function configOrThrow(report: ConfigReport): TandemConfig {
  if (report.config !== null) return report.config;
  const errors = report.notes.filter(({ level }) => level === 'error');
  const [first, ...rest] = errors;
  const code = first?.code ?? 'config_file';
  if (first === undefined) throw new ConfigError(code, 'The configuration cannot be used.');
  if (rest.length === 0) throw new ConfigError(code, first.message, { hint: first.hint });
  const lines = errors.map(({ message, hint }) => `${message} ${hint}`.trim());
  throw new ConfigError(code, lines.join('\n'), { hint: "See 'tandem config check'." });
}

/** A rough look: what the file mentions is not taken for a key that was misspelt. */
function variablesUsedBy({ file }: ConfigSources): ReadonlySet<string> {
  return new Set(file?.text.match(/\bTANDEM_\w+/g) ?? []);
}

function configOf(draft: Draft, command: readonly string[] | null): TandemConfig | undefined {
  const { values } = draft;
  const isAlone = isAloneBy(draft);
  const name = nodeNameOf(draft, isAlone);
  const http = httpConfigOf(draft, isAlone);
  const around = { isAlone, listen: http.listen, isTls: http.tls !== null };
  const node = nodeConfigOf(draft, name, around);
  const lease = leaseConfigOf(draft, { name, advertiseUrl: node.advertiseUrl, isAlone });
  const cluster = clusterConfigOf(draft, isAlone);
  const acknowledge = acknowledgeConfigOf(draft, isAlone);
  const folders = foldersOf(draft);
  const backup = backupConfigOf(draft);
  if (backup !== null && folders !== undefined) {
    refuseBackupAmongDatabases(draft, backup.url, folders.databases);
  }
  const proxy = proxyConfigOf(draft, node, http.listen);
  const commands = commandsConfigOf(draft, command);
  checkCheckpoint(draft);
  if (lease === undefined || folders === undefined) return undefined;
  return {
    filePath: draft.filePath,
    format: draft.format,
    databases: {
      folder: folders.databases,
      include: values['databases.include'],
      exclude: values['databases.exclude'] ?? [],
      journalMode: values['databases.journal-mode'],
      busyTimeoutMs: values['databases.busy-timeout'],
    },
    state: { folder: folders.state },
    node,
    cluster,
    lease,
    acknowledge,
    http,
    proxy,
    logRetention: { ageMs: values['log-retention.age'], bytes: values['log-retention.size'] },
    repair: { bytesPerSecond: values['repair.bytes-per-second'] },
    backup,
    ...commands,
    log: { format: values['log.format'], level: values['log.level'] },
    skipSync: values['skip-sync'],
    exitOnError: values['exit-on-error'],
    sync: values.sync,
    checkpoint: { pages: values['checkpoint.pages'], pagesMax: values['checkpoint.pages-max'] },
  };
}

function checkCheckpoint(draft: Draft): void {
  const { values } = draft;
  if (values['checkpoint.pages-max'] >= values['checkpoint.pages']) return;
  const key = draft.isGiven('checkpoint.pages-max') ? 'checkpoint.pages-max' : 'checkpoint.pages';
  const given = draft.given(key);
  const where = given === undefined ? key : subjectOf(given);
  draft.findings.error(
    'config_conflict',
    draft.subject(key),
    `${where} makes checkpoint.pages-max less than checkpoint.pages.`,
    'Make checkpoint.pages-max the larger one, by three times or more.',
  );
}

/** The same value, frozen all the way down. */
function deepFrozen<Value>(value: Value): Value {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value);
    for (const inner of Object.values(value)) deepFrozen(inner);
  }
  return value;
}
