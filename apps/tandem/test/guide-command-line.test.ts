import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { CONFIG_FLAGS, NODE_FLAGS, type Command, type Flag } from '../src/cli/command.ts';
import { COMMANDS } from '../src/cli/command-line.ts';
import { EXIT_CODES } from '../src/supervise/exit-code.ts';

const DOCUMENT = readFileSync(
  new URL('../../../docs/reference/tandem-cli.md', import.meta.url),
  'utf8',
);
const SECTIONS = DOCUMENT.split('\n## ').slice(1);
const FOUND_BY_ALL = Object.keys(CONFIG_FLAGS);
const CONFIG_LINK = '(#flags-that-find-the-configuration)';
const NODE_LINK = '(#flags-that-find-a-node)';

function section(title: string): string {
  const found = SECTIONS.find((text) => text.startsWith(`${title}\n`));
  if (found === undefined) throw new RangeError(`there is no section ${title}`);
  return found;
}

function titleOf([name, { usage }]: readonly [string, Command]): string {
  return `\`${`tandem ${name} ${usage}`.trim()}\``;
}

/** The help's words as a sentence. */
function sentence(summary: string): string {
  return `${summary.charAt(0).toUpperCase()}${summary.slice(1)}.`;
}

function flagRows(flags: Readonly<Record<string, Flag>>): string[] {
  return Object.entries(flags).map(([name, { type, summary }]) => {
    const value = type === 'string' ? ' VALUE' : '';
    return `| \`--${name}${value}\` | ${sentence(summary)} |`;
  });
}

function flagRowsIn(text: string): string[] {
  return text.split('\n').filter((line) => line.startsWith('| `--'));
}

function without(flags: Readonly<Record<string, Flag>>, names: readonly string[]) {
  return Object.fromEntries(Object.entries(flags).filter(([name]) => !names.includes(name)));
}

describe('docs/reference/tandem-cli.md', () => {
  it('has a section for each command, in the order of the help, and for no other', () => {
    const documented = SECTIONS.flatMap((text) => /^`tandem .*`$/m.exec(text)?.[0] ?? []);
    expect(documented).toEqual(Object.entries(COMMANDS).map(titleOf));
  });

  it.each(Object.entries(COMMANDS))('says of %s what the help says', (name, command) => {
    const text = section(titleOf([name, command]));
    const isOfNode = 'url' in command.flags;
    const known = isOfNode ? Object.keys(NODE_FLAGS) : FOUND_BY_ALL;
    expect(text).toContain(`\n\n${sentence(command.summary)}\n`);
    expect(text).toContain(`\ntandem ${name} `.trimEnd());
    expect(flagRowsIn(text)).toEqual(flagRows(without(command.flags, known)));
    expect(Object.keys(command.flags)).toEqual(expect.arrayContaining(known));
    expect(text).toContain(CONFIG_LINK);
    expect(text.includes(NODE_LINK)).toBe(isOfNode);
  });

  it('has the flags that several commands take', () => {
    expect(flagRowsIn(section('Flags that find the configuration'))).toEqual(
      flagRows(CONFIG_FLAGS),
    );
    expect(flagRowsIn(section('Flags that find a node'))).toEqual(
      flagRows(without(NODE_FLAGS, FOUND_BY_ALL)),
    );
  });

  it('has every exit code', () => {
    const rows = section('Output and exit codes').matchAll(/^\| (?<code>\d+) \|/gm);
    const codes = Array.from(rows, ({ groups }) => Number(groups?.['code']));
    expect(codes).toEqual([0, 1, 2, ...Object.values(EXIT_CODES)]);
  });
});
