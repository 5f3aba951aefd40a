import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { CommandError } from './command-error.ts';
import { COMMANDS } from './command-table.ts';
import { commandText, overviewText, usageOf } from './help-text.ts';
import { COMMON_FLAGS, settingNamesOf } from './command-flags.ts';
import { parseArguments, wantsJson } from './parse-arguments.ts';
import { flagOf } from '../config/settings.ts';

const parse = (line: string) => parseArguments(line.split(' ').filter((word) => word !== ''));

function problemOf(line: string): string {
  try {
    parse(line);
  } catch (error) {
    if (error instanceof CommandError && error.code === 'usage') {
      return `${error.message} ${error.hint ?? ''}`;
    }
    throw error;
  }
  throw new Error(`'${line}' was accepted`);
}

describe('a command line', () => {
  it('is taken apart into command, arguments, flags and settings', () => {
    const invocation = parse(
      'site add example.org --timezone Europe/Berlin --data-dir=/d --allow-host a --allow-host b --json',
    );
    expect(invocation.command.words).toEqual(['site', 'add']);
    expect(invocation.operands).toEqual(['example.org']);
    expect(invocation.flags.get('timezone')).toEqual(['Europe/Berlin']);
    expect(invocation.flags.get('allow-host')).toEqual(['a', 'b']);
    expect(invocation.settings).toEqual({ data_dir: '/d' });
    expect(invocation.isJson).toBe(true);
  });

  it('may have its flags anywhere', () => {
    const invocation = parse('--data-dir /d --json site --config c.yml add example.org');
    expect(invocation.command.words).toEqual(['site', 'add']);
    expect(invocation.settings).toEqual({ data_dir: '/d' });
    expect(invocation.configFlag).toBe('c.yml');
  });

  it('takes what follows two dashes as arguments', () => {
    expect(parse('user add -- --odd').operands).toEqual(['--odd']);
    expect(wantsJson(['user', 'add', '--', '--json'])).toBe(false);
    expect(wantsJson(['user', 'list', '--json'])).toBe(true);
  });

  it('that is empty or asks for help is the help command', () => {
    expect(parse('').command.words).toEqual(['help']);
    expect(parse('site add --help')).toMatchObject({ operands: ['site', 'add'] });
    expect(parse('site add -h').command.words).toEqual(['help']);
    expect(parse('--version').command.words).toEqual(['version']);
  });

  it.each([
    ['sites add x', "'loggia sites' is no command. Did you mean 'loggia site add'?"],
    ['serv', "'loggia serv' is no command. Did you mean 'loggia serve'?"],
    ['zebra', "'loggia zebra' is no command. 'loggia help' lists all commands."],
    ['site', "'loggia site' lacks its action. There is: add, list, update, snippet, remove."],
    ['site ad x', "'loggia site' has no action 'ad'. Did you mean 'loggia site add'?"],
    ['site add', "'loggia site add' lacks its DOMAIN."],
    ['site add a b', "'loggia site add' does not know what to do with 'b'."],
    ['goal remove a', "'loggia goal remove' lacks its NUMBER."],
    ['site list --jsn', "'loggia site list' has no flag --jsn. Did you mean --json?"],
    ['site list -x', "'loggia site list' has no flag -x."],
    ['site list --listen :80', "'loggia site list' has no flag --listen."],
    ['--zebra', 'No command has a flag --zebra.'],
    ['key create --name', '--name lacks its value. Write --name VALUE.'],
    ['key create --name --json', '--name lacks its value, since --json is a flag.'],
    ['key create --name a --name b', '--name is given 2 times. Give it once.'],
    ['site list --json=1', '--json takes no value.'],
    ['serve --listen :80 --listen :81', '--listen is given 2 times.'],
  ])('%j is refused', (line, message) => {
    expect(problemOf(line)).toContain(message);
  });
});

describe('the table of commands', () => {
  const document = readFileSync(
    new URL('../../../../docs/reference/cli.md', import.meta.url),
    'utf8',
  );
  const sections = document.split('\n## ').slice(1);

  it('is the one in docs/reference/cli.md', () => {
    const documented = sections.flatMap((section) => /^`loggia ([^`]*)`/.exec(section)?.[1] ?? []);
    expect(documented).toEqual(COMMANDS.map(usageOf));
  });

  it('has the flags, sentences and examples of docs/reference/cli.md', () => {
    for (const command of COMMANDS) {
      const section = sections.find((text) => text.startsWith(`\`loggia ${usageOf(command)}\``));
      expect(section?.split('\n').filter((line) => line.startsWith('| `--'))).toEqual(
        flagRows(command.flags),
      );
      expect(section).toContain(`\n\n${command.summary}\n`);
      expect(section).toContain(`\n${command.example}\n`);
      expect(section).toContain(command.details ?? '');
    }
    const common = sections.find((text) => text.startsWith('Flags of every command'));
    expect(common?.split('\n').filter((line) => line.startsWith('| `--'))).toEqual(
      flagRows(COMMON_FLAGS),
    );
  });

  it('has examples that are valid', () => {
    for (const command of COMMANDS) {
      const [line = ''] = command.example.replace(/^loggia /, '').split(' < ');
      expect(parse(line).command).toBe(command);
    }
  });

  it('has one meaning for each flag: a switch everywhere, or nowhere', () => {
    const kinds = new Map<string, boolean>();
    for (const { flags } of [{ flags: COMMON_FLAGS }, ...COMMANDS]) {
      for (const [name, { value }] of Object.entries(flags)) {
        expect(kinds.get(name) ?? value === null).toBe(value === null);
        kinds.set(name, value === null);
      }
    }
  });

  it('gives no flag of its own the name of a setting that the command takes', () => {
    for (const command of COMMANDS) {
      const settings = settingNamesOf(command).map(flagOf);
      expect(settings.filter((flag) => flag in command.flags || flag in COMMON_FLAGS)).toEqual([]);
    }
  });
});

describe('the help text', () => {
  it('lists every command', () => {
    const text = overviewText(COMMANDS);
    for (const command of COMMANDS) expect(text).toContain(`  ${usageOf(command)} `);
  });

  it('of serve lists every setting with its default and its variable', () => {
    const serve = COMMANDS.find((command) => command.words[0] === 'serve');
    const text = serve === undefined ? '' : commandText(serve);
    expect(text).toContain('--trusted-proxies VALUE');
    expect(text).toContain('Default: 127.0.0.1:8080. Variable: LOGGIA_LISTEN.');
  });
});

function flagRows(flags: typeof COMMON_FLAGS): readonly string[] {
  return Object.entries(flags).map(([name, { value, summary }]) => {
    const placeholder = value === null ? '' : ` ${value.replaceAll('|', '\\|')}`;
    return `| \`--${name}${placeholder}\` | ${summary} |`;
  });
}
