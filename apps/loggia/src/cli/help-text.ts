import { SETTING_ENTRIES, flagOf, variableOf } from '../config/settings.ts';
import type { Command, CommandFlag } from './command.ts';
import { COMMON_FLAGS, settingNamesOf } from './command-flags.ts';
import { pairsText } from './table-text.ts';

/** The list of all commands. */
export function overviewText(commands: readonly Command[]): string {
  const rows = commands.map((command) => [`  ${usageOf(command)}`, command.summary] as const);
  return (
    'Loggia: web analytics in one process.\n\n' +
    'Usage: loggia COMMAND [FLAGS]\n\n' +
    pairsText(rows) +
    "\nEvery command takes --data-dir FOLDER and --json. 'loggia help COMMAND' tells more.\n"
  );
}

/** All there is to say about one command. */
export function commandText(command: Command): string {
  const flags = { ...command.flags, ...COMMON_FLAGS };
  const rows = Object.entries(flags).map(
    ([name, flag]) => [`  --${name}${placeholder(flag)}`, flag.summary] as const,
  );
  return (
    `${command.summary}\n\nUsage: loggia ${usageOf(command)} [FLAGS]\n` +
    (command.details === undefined ? '' : `\n${command.details}\n`) +
    `\nFlags:\n${pairsText(rows)}` +
    settingsText(command) +
    `\nExample: ${command.example}\n`
  );
}

/** `site add DOMAIN`. */
export function usageOf(command: Command): string {
  return [...command.words, ...command.operands].join(' ');
}

function settingsText(command: Command): string {
  const names = settingNamesOf(command);
  if (names.length === 0) return '';
  const blocks = SETTING_ENTRIES.filter(([, { name }]) => names.includes(name)).map(
    ([, setting]) =>
      `  --${flagOf(setting.name)} VALUE\n` +
      `      ${setting.summary.replaceAll('`', '')}\n` +
      `      Write ${setting.expects}. Default: ${setting.defaultText}. ` +
      `Variable: ${variableOf(setting.name)}.\n`,
  );
  return `\nSettings, also in the environment and in loggia.yml:\n${blocks.join('')}`;
}

function placeholder(flag: CommandFlag): string {
  return flag.value === null ? '' : ` ${flag.value}`;
}
