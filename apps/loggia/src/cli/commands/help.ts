import type { CommandContext, CommandResult } from '../command.ts';
import { COMMANDS } from '../command-table.ts';
import { commandText, overviewText } from '../help-text.ts';
import { findCommand } from '../parse-arguments.ts';

/** Explains one command, a group of commands, or lists them all. */
export async function help(context: CommandContext): Promise<CommandResult> {
  const text = helpOf(context.invocation.operands);
  return { value: { help: text }, text };
}

function helpOf(words: readonly string[]): string {
  if (words.length === 0) return overviewText(COMMANDS);
  const group = COMMANDS.filter(
    (command) => command.words.length > 1 && command.words[0] === words[0],
  );
  if (words.length === 1 && group.length > 0) return overviewText(group);
  return commandText(findCommand(words));
}
