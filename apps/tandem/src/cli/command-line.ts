import { parseArgs } from 'node:util';
import { BaseError } from '@tandem/base';
import { SuperviseError } from '../supervise/supervise-error.ts';
import { VERSION } from '../version.ts';
import { BACKUP_COMMANDS } from './backup-commands.ts';
import type { Command, Invocation } from './command.ts';
import { CONFIG_COMMAND } from './config-command.ts';
import { NODE_COMMANDS } from './node-commands.ts';
import { START_COMMAND } from './start-command.ts';

/** All commands by name, in the order of the help. */
export const COMMANDS: Readonly<Record<string, Command>> = {
  start: START_COMMAND,
  ...NODE_COMMANDS,
  ...BACKUP_COMMANDS,
  config: CONFIG_COMMAND,
};

const USAGE_EXIT = 2;
const HELP_WORDS = new Set(['help', '--help', '-h']);
const VERSION_WORDS = new Set(['version', '--version']);

/** Where a command line comes from and goes to. */
export type Surroundings = Pick<Invocation, 'env' | 'print' | 'complain'>;

/** Runs a command line. @returns the exit code */
export async function runCommandLine(
  words: readonly string[],
  surroundings: Surroundings,
): Promise<number> {
  const { print, complain } = surroundings;
  const [name = 'help', ...rest] = words;
  if (VERSION_WORDS.has(name)) {
    print(VERSION);
    return 0;
  }
  const command = COMMANDS[name];
  if (HELP_WORDS.has(name) || command === undefined) {
    if (!HELP_WORDS.has(name)) complain(`tandem: there is no command '${name}'.`);
    (HELP_WORDS.has(name) ? print : complain)(overview());
    return HELP_WORDS.has(name) ? 0 : USAGE_EXIT;
  }
  if (rest.includes('--help')) {
    print(helpOf(name, command));
    return 0;
  }
  const parsed = parse(command, rest);
  if (typeof parsed === 'string') {
    complain(`tandem ${name}: ${parsed}\n\n${helpOf(name, command)}`);
    return USAGE_EXIT;
  }
  return attempt(() => command.run({ ...parsed, ...surroundings }), complain);
}

type Parsed = Pick<Invocation, 'flags' | 'words' | 'command'>;

/** What the words mean, or what is wrong with them. */
function parse(command: Command, words: readonly string[]): Parsed | string {
  const separator = words.indexOf('--');
  const own = separator === -1 ? words : words.slice(0, separator);
  const after = separator === -1 ? null : words.slice(separator + 1);
  if (after !== null && !command.takesCommand) return 'it takes no command after --.';
  const options = Object.fromEntries(
    Object.entries(command.flags).map(([key, { type, multiple = false }]) => [
      key,
      { type, multiple },
    ]),
  );
  try {
    const { values, positionals } = parseArgs({ args: [...own], options, allowPositionals: true });
    const isCount =
      positionals.length >= command.wordsMin && positionals.length <= command.wordsMax;
    if (!isCount) return `${positionals.length} words were given.`;
    return { flags: values as Parsed['flags'], words: positionals, command: after };
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

async function attempt(
  run: () => Promise<number>,
  complain: (text: string) => void,
): Promise<number> {
  try {
    return await run();
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    const hint = error instanceof BaseError && error.hint !== undefined ? ` ${error.hint}` : '';
    complain(`tandem: ${error.message}${hint}`);
    return error instanceof SuperviseError ? error.exitCode : 1;
  }
}

function overview(): string {
  const lines = Object.entries(COMMANDS).map(
    ([name, { summary }]) => `  ${name.padEnd(10)}${summary}`,
  );
  return `tandem ${VERSION}: replicates SQLite databases\n\n${lines.join('\n')}\n\nMore: tandem COMMAND --help`;
}

function helpOf(name: string, { summary, usage, flags }: Command): string {
  const lines = Object.entries(flags).map(([key, flag]) => {
    const value = flag.type === 'string' ? ' VALUE' : '';
    return `  --${key}${value}`.padEnd(26) + flag.summary;
  });
  return `tandem ${name} ${usage}\n\n${summary}\n\n${lines.join('\n')}`;
}
