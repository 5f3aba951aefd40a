import { BaseError, type ErrorDetails } from '@tandem/base';

/** What can be wrong with the configuration of the daemon. */
export const TANDEM_CONFIG_ERROR_CODES = {
  config_file: 'The configuration file cannot be read, or is not a map of keys.',
  config_unknown_key: 'A key of that name does not exist.',
  config_unset_variable: 'The configuration uses an environment variable that is not set.',
  config_bad_value: 'A key has a value that it cannot have.',
  config_missing: 'A key that is needed here has no value.',
  config_conflict: 'Two keys contradict each other.',
  config_folder: 'A folder cannot be created or written.',
  config_command: 'A command cannot be started: its program does not exist or may not be run.',
} as const;

export type ConfigErrorCode = keyof typeof TANDEM_CONFIG_ERROR_CODES;

/** A configuration that the daemon cannot run with. Nothing has been started or changed. */
export class ConfigError extends BaseError<ConfigErrorCode> {
  override readonly name = 'ConfigError';

  constructor(code: ConfigErrorCode, message: string, details: ErrorDetails = {}) {
    super(code, message, details);
  }
}
