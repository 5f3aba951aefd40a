import { CommandError } from './command-error.ts';
import { isFlagSet, type CommandContext } from './command.ts';
import type { TextSource } from './terminal.ts';

/**
 * Returns when the user agrees to a deletion: by `--yes`, or by typing `name` at the terminal.
 *
 * @throws CommandError `not_confirmed`.
 */
export async function confirmDeletion(
  context: CommandContext,
  what: string,
  name: string,
): Promise<void> {
  const { invocation, terminal } = context;
  if (isFlagSet(invocation, 'yes')) return;
  if (terminal.stdin.isTTY !== true || invocation.isJson) {
    throw new CommandError('not_confirmed', `${what} would be deleted.`, {
      hint: 'Add --yes if that is what you want.',
    });
  }
  terminal.stderr.write(`${what} will be deleted. Type '${name}' to go on: `);
  const answer = await readLine(terminal.stdin);
  if (answer.trim() === name) return;
  throw new CommandError('not_confirmed', 'Nothing was deleted.', {
    hint: `'${answer.trim()}' is not '${name}'.`,
  });
}

/** The first line of what comes; a terminal gives whole lines. */
async function readLine(source: TextSource): Promise<string> {
  for await (const chunk of source) {
    const text = typeof chunk === 'string' ? chunk : Buffer.from(chunk).toString('utf8');
    return text.split('\n', 1)[0] ?? '';
  }
  return '';
}
