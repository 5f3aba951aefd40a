import { BaseError, type ErrorDetails } from '@tandem/base';

/** What can be wrong with a configuration. `docs/reference/errors.md` lists the codes. */
export const CONFIG_ERROR_CODES = {
  config_file: 'The configuration file cannot be read, or is not a map of settings.',
  unknown_setting: 'A setting of that name does not exist.',
  bad_setting: 'A setting has a value that it cannot have.',
  data_folder: 'The data folder cannot be created or written.',
} as const;

export type ConfigErrorCode = keyof typeof CONFIG_ERROR_CODES;

/** A configuration that cannot be used. The process ends with exit code 2. */
export class ConfigError extends BaseError<ConfigErrorCode> {
  override readonly name = 'ConfigError';

  constructor(code: ConfigErrorCode, message: string, details: ErrorDetails = {}) {
    super(code, message, details);
  }
}
