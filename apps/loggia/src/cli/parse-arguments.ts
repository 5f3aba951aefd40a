import { parseArgs, type ParseArgsOptionsConfig } from 'node:util';
import { nearestName } from '../config/nearest-name.ts';
import { SETTING_ENTRIES, flagOf } from '../config/settings.ts';
import type { Command, Invocation } from './command.ts';
import { CommandError } from './command-error.ts';
import { COMMANDS } from './command-table.ts';
import { COMMON_FLAGS, settingNamesOf } from './command-flags.ts';
import { findCommand, tryFindCommand } from './find-command.ts';

/** Whether the arguments ask for JSON, as far as that can be told when they are wrong. */
export function wantsJson(argv: readonly string[]): boolean {
  const end = argv.indexOf('--');
  return argv.slice(0, end === -1 ? undefined : end).includes('--json');
}

/**
 * Takes a command line apart.
 *
 * @throws CommandError `usage` with the nearest command or flag that exists.
 */
export function parseArguments(argv: readonly string[]): Invocation {
  const { given, positionals } = readTokens(argv);
  if (given.has('version') && positionals.length === 0) return helpOrVersion('version', [], given);
  if (given.has('help') || positionals.length === 0) {
    return helpOrVersion('help', positionals, given);
  }
  const command = findCommand(positionals, COMMANDS);
  const operands = positionals.slice(command.words.length);
  checkOperands(command, operands);
  const settingNames = settingNamesOf(command);
  const flags = new Map<string, readonly string[]>();
  const settings: Record<string, string> = {};
  for (const [flag, values] of given) {
    const settingName = settingNames.find((name) => flagOf(name) === flag);
    const spec = command.flags[flag] ?? COMMON_FLAGS[flag];
    if (settingName === undefined && spec === undefined) throw unknownFlag(flag, command);
    if (values.length > 1 && spec?.isRepeatable !== true) {
      throw usage(`--${flag} is given ${values.length} times.`, 'Give it once.');
    }
    if (settingName === undefined) flags.set(flag, values);
    else settings[settingName] = values[0] ?? '';
  }
  const configFlag = flags.get('config')?.[0] ?? null;
  return { command, operands, flags, settings, configFlag, isJson: flags.has('json') };
}

type Given = ReadonlyMap<string, readonly string[]>;

/** All flags of all commands: one name is a switch everywhere or nowhere. */
function allFlags(): ReadonlyMap<string, 'string' | 'boolean'> {
  const kinds = new Map<string, 'string' | 'boolean'>([['version', 'boolean']]);
  for (const [, setting] of SETTING_ENTRIES) kinds.set(flagOf(setting.name), 'string');
  for (const flags of [COMMON_FLAGS, ...COMMANDS.map((command) => command.flags)]) {
    for (const [name, flag] of Object.entries(flags)) {
      kinds.set(name, flag.value === null ? 'boolean' : 'string');
    }
  }
  return kinds;
}

function readTokens(argv: readonly string[]): { given: Given; positionals: readonly string[] } {
  const kinds = allFlags();
  const options: ParseArgsOptionsConfig = {};
  for (const [name, type] of kinds) options[name] = { type, multiple: true };
  options['help'] = { type: 'boolean', multiple: true, short: 'h' };
  const { tokens, positionals } = parseArgs({
    args: [...argv],
    options,
    strict: false,
    allowPositionals: true,
    tokens: true,
  });
  const given = new Map<string, string[]>();
  for (const token of tokens) {
    if (token.kind !== 'option') continue;
    const kind = kinds.get(token.name);
    if (kind === undefined)
      throw unknownFlag(token.name, tryFindCommand(positionals, COMMANDS), token.rawName);
    given.set(token.name, [...(given.get(token.name) ?? []), readValue(kind, token)]);
  }
  return { given, positionals };
}

function readValue(
  kind: 'string' | 'boolean',
  token: {
    readonly rawName: string;
    readonly value?: string | undefined;
    readonly inlineValue?: boolean | undefined;
  },
): string {
  if (kind === 'boolean') {
    if (token.value === undefined) return '';
    throw usage(`${token.rawName} takes no value.`, `Write ${token.rawName} alone.`);
  }
  if (token.value === undefined) {
    throw usage(`${token.rawName} lacks its value.`, `Write ${token.rawName} VALUE.`);
  }
  if (token.inlineValue !== true && token.value.startsWith('--')) {
    throw usage(
      `${token.rawName} lacks its value, since ${token.value} is a flag.`,
      `Write ${token.rawName}=VALUE when the value begins with dashes.`,
    );
  }
  return token.value;
}

function helpOrVersion(
  name: 'help' | 'version',
  operands: readonly string[],
  given: Given,
): Invocation {
  const command = findCommand([name], COMMANDS);
  const isJson = given.has('json');
  return { command, operands, flags: new Map(), settings: {}, configFlag: null, isJson };
}

function checkOperands(command: Command, operands: readonly string[]): void {
  const name = `loggia ${command.words.join(' ')}`;
  const missing = command.operands[operands.length];
  if (missing !== undefined && !missing.startsWith('[')) {
    const what = missing.replace('...', '');
    throw usage(`'${name}' lacks its ${what}.`, `Write, for example: ${command.example}`);
  }
  if (command.operands.some((each) => each.includes('...'))) return;
  const extra = operands[command.operands.length];
  if (extra !== undefined) {
    throw usage(`'${name}' does not know what to do with '${extra}'.`, `Run '${name} --help'.`);
  }
}

function unknownFlag(flag: string, command: Command | undefined, rawName?: string): CommandError {
  const known =
    command === undefined
      ? [...allFlags().keys()]
      : [
          ...Object.keys(command.flags),
          ...settingNamesOf(command).map(flagOf),
          ...Object.keys(COMMON_FLAGS),
        ];
  const words = command?.words.join(' ') ?? '';
  const where = command === undefined ? 'No command has' : `'loggia ${words}' has no flag`;
  const nearest = nearestName(flag, known);
  const meant = nearest === undefined ? '' : `Did you mean --${nearest}? `;
  return usage(
    command === undefined
      ? `${where} a flag ${rawName ?? `--${flag}`}.`
      : `${where} ${rawName ?? `--${flag}`}.`,
    `${meant}'loggia help${words === '' ? '' : ` ${words}`}' lists all flags.`,
  );
}

function usage(message: string, hint: string): CommandError {
  return new CommandError('usage', message, { hint });
}
