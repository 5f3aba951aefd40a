import { basename } from 'node:path';
import { scalarOf } from './config-node.ts';
import type { CommandLine } from './command-line.ts';
import type { Draft } from './draft.ts';
import { subjectOf, type GivenValue } from './given-value.ts';
import { shellOperatorIn } from './shell-words.ts';
import type { SettingKey } from './settings.ts';
import type { CommandConfig } from './tandem-config.ts';

/** The commands that run to their end, and the application. */
export interface CommandsConfig {
  readonly commands: readonly CommandConfig[];
  readonly exec: CommandConfig | null;
}

/**
 * Commands with their programs found, before anything has been started. `words` is what stands after
 * `--` on the command line; it replaces `exec`.
 */
export function commandsConfigOf(draft: Draft, words: readonly string[] | null): CommandsConfig {
  const commands = draft.values.commands ?? [];
  const written = draft.values.exec ?? [];
  const [last] = written.slice(-1);
  const before = [...resolveAll(draft, 'commands', commands)];
  if (words !== null) {
    draft.derive('exec', words.join(' '), 'the words after --');
    const line = { words, condition: 'always', line: 0 } as const;
    return { commands: before, exec: resolveOne(draft, '--', line) ?? null };
  }
  before.push(...resolveAll(draft, 'exec', written.slice(0, -1)));
  const exec =
    last === undefined ? undefined : resolveOne(draft, subjectAt(draft, 'exec', last), last);
  if (last?.condition === 'if-primary') {
    draft.findings.error(
      'config_bad_value',
      subjectAt(draft, 'exec', last),
      `exec says if-primary for '${last.words.join(' ')}', the last of its commands and so the application.`,
      'The application runs on every node. Put what runs to its end below commands; a program that ' +
        'follows the role can ask /info or read /events.',
    );
  }
  return { commands: before, exec: exec ?? null };
}

function resolveAll(
  draft: Draft,
  key: SettingKey,
  lines: readonly CommandLine[],
): readonly CommandConfig[] {
  return lines
    .map((line) => resolveOne(draft, subjectAt(draft, key, line), line))
    .filter((found) => found !== undefined);
}

function resolveOne(
  draft: Draft,
  subject: GivenValue | string,
  { words, condition }: CommandLine,
): CommandConfig | undefined {
  const { machine, findings } = draft;
  const [word = ''] = words;
  const where = typeof subject === 'string' ? `The command after ${subject}` : subjectOf(subject);
  const operator = shellOperatorIn(words);
  if (operator !== undefined && !/^(?:ba|da|z)?sh$/.test(basename(word))) {
    findings.warn(
      subject,
      `${where} has '${operator}', which only a shell understands; '${word}' gets it as an argument.`,
      "For a shell, write sh -c 'COMMAND'.",
    );
  }
  const found = machine.findProgram(word, draft.env['PATH'] ?? '');
  if ('value' in found) return { program: found.value, words, condition };
  findings.error(
    'config_command',
    subject,
    `${where} starts '${word}', which ${found.problem}.`,
    'Write the path of the program as it is in this container or on this machine.',
  );
  return undefined;
}

function subjectAt(draft: Draft, key: SettingKey, { line }: CommandLine): GivenValue | string {
  const given = draft.given(key);
  if (given?.origin.kind !== 'file' || line === 0) return given ?? key;
  return { ...given, origin: { ...given.origin, line }, node: scalarOf('', line) };
}
