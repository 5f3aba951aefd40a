import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { ConfigError } from './config-error.ts';
import {
  inspectConfiguration,
  type ConfigurationReport,
  type ConfigurationSources,
} from './configuration.ts';

const FILE_NAME = 'loggia.yml';
const FILE_NAME_MISTAKEN = 'loggia.yaml';

/** What the command line and the process give for a configuration. */
export interface ConfigurationRequest {
  /** Text by the setting's name (`data_dir`). */
  readonly flags: Readonly<Record<string, string>>;
  /** The file named by `--config`, or null. */
  readonly configFlag: string | null;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
}

/**
 * Reads the configuration file, if there is one, and inspects everything together.
 *
 * A file named by `--config` or `LOGGIA_CONFIG` must exist; `loggia.yml` in the current folder may.
 * Whatever is wrong is in the report's `problems`; nothing is thrown.
 */
export function readConfiguration(request: ConfigurationRequest): ConfigurationReport {
  try {
    return inspectConfiguration({ ...request, ...readFile(request) });
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    const report = inspectConfiguration({ ...request, fileText: null, filePath: null });
    return { ...report, problems: [error, ...report.problems] };
  }
}

function readFile(
  request: ConfigurationRequest,
): Pick<ConfigurationSources, 'fileText' | 'filePath'> {
  const variable = request.env['LOGGIA_CONFIG']?.trim() ?? '';
  if (request.configFlag !== null) return readNamedFile(request.configFlag, '--config', request);
  if (variable !== '') return readNamedFile(variable, 'LOGGIA_CONFIG', request);
  const filePath = join(request.cwd, FILE_NAME);
  if (existsSync(filePath)) return { fileText: readText(filePath, FILE_NAME), filePath };
  const mistaken = join(request.cwd, FILE_NAME_MISTAKEN);
  if (existsSync(mistaken)) {
    throw new ConfigError('config_file', `${mistaken} is not read under that name.`, {
      hint: `Call it ${FILE_NAME}, or name it with --config.`,
    });
  }
  return { fileText: null, filePath: null };
}

function readNamedFile(name: string, origin: string, request: ConfigurationRequest) {
  const filePath = resolve(request.cwd, name);
  return { fileText: readText(filePath, `which ${origin} names`), filePath };
}

function readText(filePath: string, origin: string): string {
  try {
    return readFileSync(filePath, 'utf8');
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? 'unknown';
    const reason = REASONS[code] ?? `cannot be read (${code})`;
    const subject = origin === FILE_NAME ? filePath : `${filePath}, ${origin},`;
    throw new ConfigError('config_file', `${subject} ${reason}.`, {
      hint: 'Correct the path, or make the file readable for the user that runs Loggia.',
      cause: error,
    });
  }
}

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'does not exist',
  ENOTDIR: 'does not exist, since a part of its path is a file',
  EISDIR: 'is a folder, not a file',
  EACCES: 'may not be read by this user',
};
