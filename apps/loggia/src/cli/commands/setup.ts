import { ensureSetupToken, setupLink } from '../../accounts/setup-link.ts';
import { flagValue, isFlagSet, type CommandContext, type CommandResult } from '../command.ts';
import { CommandError } from '../command-error.ts';
import { withJournal } from '../open-journal.ts';
import { createUser, parseUserName } from './user.ts';

/** Makes the first user when one is named, else prints the link that does it in a browser. */
export async function setup(context: CommandContext): Promise<CommandResult> {
  const name = flagValue(context.invocation, 'user');
  if (name === undefined && isFlagSet(context.invocation, 'password-stdin')) {
    throw new CommandError('usage', '--password-stdin needs --user.', {
      hint: 'Write --user NAME as well.',
    });
  }
  const link = await withJournal(context, (journal, baseUrl) => {
    const token = ensureSetupToken(journal);
    return token === undefined ? undefined : setupLink(baseUrl, token);
  });
  if (link === undefined) {
    throw new CommandError('exists', 'The set-up is done: there is a user already.', {
      hint: "'loggia user add' adds another one, 'loggia user passwd' sets a password.",
    });
  }
  if (name !== undefined) return await createUser(context, parseUserName(name));
  return {
    value: { setup_url: link },
    text: `Open this link to make the first account:\n\n${link}\n`,
  };
}
