import type { Command, CommandContext, CommandResult } from '../command.ts';
import { findCommand } from '../find-command.ts';
import { commandText, overviewText } from '../help-text.ts';

/** Explains one command, a group of commands, or lists them all. */
export async function help(context: CommandContext): Promise<CommandResult> {
  const text = helpOf(context.invocation.operands, context.commands);
  return { value: { help: text }, text };
}

function helpOf(words: readonly string[], commands: readonly Command[]): string {
  if (words.length === 0) return overviewText(commands);
  const group = commands.filter(
    (command) => command.words.length > 1 && command.words[0] === words[0],
  );
  if (words.length === 1 && group.length > 0) return overviewText(group);
  return commandText(findCommand(words, commands));
}
