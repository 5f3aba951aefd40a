import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { ConfigError } from './config-error.ts';
import type { ConfigFile } from './file-values.ts';
import type { Machine } from './machine.ts';
import { CONFIG_VARIABLE, type Environment } from './overriding-values.ts';
import { resolveConfig, type ConfigReport } from './resolve-config.ts';
import { systemMachine } from './system-machine.ts';

/** What the command line and the process give. */
export interface ConfigRequest {
  /** The file named by `--config`; null when the flag is not there. */
  readonly configFlag: string | null;
  /** What `--set` gives, each as `key=value`. */
  readonly flags?: readonly string[];
  /** The words after `--`; null when there are none. */
  readonly command?: readonly string[] | null;
  readonly env: Environment;
  /** By default the one this process runs on. */
  readonly machine?: Machine;
  /** False with `--no-expand-env`. */
  readonly expandsVariables?: boolean;
}

const NAMES = ['tandem.yml', 'litefs.yml'] as const;
const SYSTEM_FOLDER = '/etc';
const MISTAKEN_NAMES = ['tandem.yaml', 'litefs.yaml'] as const;

/**
 * Finds and reads the configuration file, and resolves it with everything else. The file is the one
 * named by `--config`, else by `TANDEM_CONFIG`, which must exist; else the first there is of
 * `tandem.yml` and `litefs.yml` in the current folder, the home folder and `/etc`. There need be
 * none.
 *
 * Whatever is wrong stands in the notes of the report; nothing is thrown.
 */
export function readConfig(request: ConfigRequest): ConfigReport {
  const { env, machine = systemMachine(), flags = [], command = null, expandsVariables } = request;
  const rest = { flags, command, env, machine, expandsVariables: expandsVariables ?? true };
  try {
    return resolveConfig({ ...rest, file: findFile(request.configFlag, env, machine) });
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    const report = resolveConfig({ ...rest, file: null });
    const note = {
      level: 'error',
      code: error.code,
      key: null,
      line: null,
      message: error.message,
      hint: error.hint ?? '',
    } as const;
    return { ...report, config: null, notes: [note] };
  }
}

/** The places of the file when none is named, in order. */
export function configPlaces(machine: Pick<Machine, 'cwd' | 'homeFolder'>): readonly string[] {
  const folders = [machine.cwd, machine.homeFolder, SYSTEM_FOLDER].filter((one) => one !== null);
  return folders.flatMap((folder) => NAMES.map((name) => join(folder, name)));
}

function findFile(flag: string | null, env: Environment, machine: Machine): ConfigFile | null {
  const variable = env[CONFIG_VARIABLE]?.trim() ?? '';
  if (flag !== null) return readNamed(flag, '--config', machine);
  if (variable !== '') return readNamed(variable, CONFIG_VARIABLE, machine);
  const path = configPlaces(machine).find((place) => existsSync(place));
  if (path !== undefined) return { path, text: readOrThrow(path, path, machine) };
  const mistaken = MISTAKEN_NAMES.map((name) => join(machine.cwd, name)).find((one) =>
    existsSync(one),
  );
  if (mistaken === undefined) return null;
  throw new ConfigError('config_file', `${mistaken} is not read under that name.`, {
    hint: `Call it ${mistaken.replace(/yaml$/, 'yml')}, or name it with --config.`,
  });
}

function readNamed(name: string, origin: string, machine: Machine): ConfigFile {
  const path = resolve(machine.cwd, name);
  return { path, text: readOrThrow(path, `${path}, which ${origin} names,`, machine) };
}

function readOrThrow(path: string, subject: string, machine: Machine): string {
  const found = machine.readText(path);
  if ('value' in found) return found.value;
  throw new ConfigError('config_file', `${subject} ${found.problem}.`, {
    hint: 'Correct the path, or make the file readable for the user that runs Tandem.',
  });
}
