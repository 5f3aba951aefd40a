import { nearestName } from '../config/nearest-name.ts';
import type { Command } from './command.ts';
import { CommandError } from './command-error.ts';

/**
 * The one of `commands` that the first words name.
 *
 * @throws CommandError `usage` when there is none.
 */
export function findCommand(words: readonly string[], commands: readonly Command[]): Command {
  const found = tryFindCommand(words, commands);
  if (found !== undefined) return found;
  const [first = ''] = words;
  const group = commands.filter(
    (command) => command.words.length > 1 && command.words[0] === first,
  );
  if (group.length > 0) {
    const actions = group.map((command) => command.words[1]).join(', ');
    const second = words[1] === undefined ? 'lacks its action' : `has no action '${words[1]}'`;
    const nearest = nearestName(
      words[1] ?? '',
      group.map((command) => command.words[1] ?? ''),
    );
    const meant = nearest === undefined ? '' : `Did you mean 'loggia ${first} ${nearest}'? `;
    throw usage(`'loggia ${first}' ${second}.`, `${meant}There is: ${actions}.`);
  }
  throw usage(`'loggia ${first}' is no command.`, commandSuggestion(words, commands));
}

function commandSuggestion(words: readonly string[], commands: readonly Command[]): string {
  const phrases = commands.map((command) => command.words.join(' '));
  const nearest =
    nearestName(words.slice(0, 2).join(' '), phrases) ??
    nearestName(words[0] ?? '', [...new Set(commands.map((command) => command.words[0] ?? ''))]);
  if (nearest === undefined) return "'loggia help' lists all commands.";
  return `Did you mean 'loggia ${nearest}'? 'loggia help' lists all commands.`;
}

/** The one of `commands` that the first words name, or undefined. */
export function tryFindCommand(
  words: readonly string[],
  commands: readonly Command[],
): Command | undefined {
  return commands.find((command) => command.words.every((word, index) => words[index] === word));
}

function usage(message: string, hint: string): CommandError {
  return new CommandError('usage', message, { hint });
}
