import { existsSync } from 'node:fs';
import type { Configuration } from '../../config/configuration.ts';
import { formatListenAddress } from '../../config/listen-address.ts';
import { SETTING_ENTRIES, type SettingKey } from '../../config/settings.ts';
import type { CommandContext, CommandResult } from '../command.ts';
import type { Check } from '../doctor/check.ts';
import { configurationChecks } from '../doctor/configuration-checks.ts';
import { machineChecks } from '../doctor/machine-checks.ts';
import { observeMachine, observeStorage } from '../doctor/observe.ts';
import { storageChecks } from '../doctor/storage-checks.ts';
import { EXIT_CODES } from '../exit-code.ts';
import { tableText } from '../table-text.ts';
import { programVersion } from './version.ts';

const MARKS = { ok: 'ok', warning: 'WARNING', failure: 'FAILURE' } as const;

/** Shows the effective configuration and looks for what is wrong. Also works when much is. */
export async function doctor(context: CommandContext): Promise<CommandResult> {
  const report = context.inspectConfiguration();
  const { configuration } = report;
  const { dataDir, cityDatabase, asnDatabase } = configuration.values;
  const missingFiles = [cityDatabase, asnDatabase]
    .filter((path) => path !== null)
    .filter((path) => !existsSync(path));
  const checks = [
    ...configurationChecks(report, missingFiles),
    ...storageChecks(observeStorage(dataDir)),
    ...machineChecks(observeMachine(dataDir, context.terminal.nowMs())),
  ];
  const isWell = checks.every((check) => check.status !== 'failure');
  return {
    value: {
      ok: isWell,
      version: programVersion(),
      config_file: configuration.filePath,
      configuration: configurationValue(configuration),
      ignored_variables: configuration.notices.map((notice) => notice.name),
      checks,
    },
    text: `${configurationText(configuration)}\n${checksText(checks)}`,
    exitCode: isWell ? EXIT_CODES.ok : EXIT_CODES.failure,
  };
}

function configurationValue(configuration: Configuration): Readonly<Record<string, unknown>> {
  const entries = SETTING_ENTRIES.map(([key, setting]) => {
    const { kind, name, text } = configuration.origins[key];
    const from = kind === 'default' ? null : name;
    return [setting.name, { value: plainValue(configuration, key), text, origin: kind, from }];
  });
  return Object.fromEntries(entries) as Readonly<Record<string, unknown>>;
}

function plainValue({ values }: Configuration, key: SettingKey): unknown {
  return key === 'listen' ? formatListenAddress(values.listen) : values[key];
}

function configurationText(configuration: Configuration): string {
  const rows = SETTING_ENTRIES.map(([key, setting]) => {
    const { kind, name, text } = configuration.origins[key];
    const value = plainValue(configuration, key);
    const shown = typeof value === 'string' ? value : text;
    return [setting.name, shown, kind === 'default' ? 'default' : name];
  });
  return tableText([{ heading: 'Setting' }, { heading: 'Value' }, { heading: 'From' }], rows);
}

function checksText(checks: readonly Check[]): string {
  return checks
    .map(({ name, status, message, hint }) => {
      const advice = hint === null ? '' : `${' '.repeat(9)}${hint}\n`;
      return `${MARKS[status].padEnd(8)} ${name}: ${message}\n${advice}`;
    })
    .join('');
}
