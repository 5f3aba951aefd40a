import type { Account, Journal } from '@loggia/journal';
import { hashPassword } from '../../accounts/password.ts';
import { userNameProblem } from '../../accounts/user-name.ts';
import { nearestName } from '../../config/nearest-name.ts';
import { confirmDeletion } from '../confirm.ts';
import { isFlagSet, operand, type CommandContext, type CommandResult } from '../command.ts';
import { CommandError } from '../command-error.ts';
import { withJournal } from '../open-journal.ts';
import { readNewPassword } from '../read-password.ts';
import { tableText } from '../table-text.ts';

/** Adds a user with a new password. */
export async function addUser(context: CommandContext): Promise<CommandResult> {
  const name = parseUserName(operand(context.invocation, 0));
  return await createUser(context, name);
}

/** Asks for a password and makes the user `name`. */
export async function createUser(context: CommandContext, name: string): Promise<CommandResult> {
  const { invocation, terminal } = context;
  return await withJournal(context, async (journal) => {
    if (journal.users.byName(name) !== undefined) {
      throw new CommandError('exists', `There is a user '${name}' already.`, {
        hint: `'loggia user passwd ${name}' sets another password.`,
      });
    }
    const password = await readNewPassword(terminal, isFlagSet(invocation, 'password-stdin'));
    const passwordHash = await hashPassword(password);
    const user = journal.users.create({ name, passwordHash, nowMs: terminal.nowMs() });
    return { value: { id: user.id, name }, text: `Added the user ${name}.\n` };
  });
}

/** Sets a password and ends the logins made with the old one. */
export async function setPassword(context: CommandContext): Promise<CommandResult> {
  const { invocation, terminal } = context;
  return await withJournal(context, async (journal) => {
    const user = mustFindUser(journal, operand(invocation, 0));
    const password = await readNewPassword(terminal, isFlagSet(invocation, 'password-stdin'));
    const passwordHash = await hashPassword(password);
    const ended = journal.transaction(() => {
      journal.users.setPasswordHash(user.id, passwordHash);
      return journal.sessions.revokeAllOf(user.id);
    });
    return {
      value: { name: user.name, sessions_ended: ended },
      text: `Set the password of ${user.name} and ended ${ended} logins.\n`,
    };
  });
}

/** Lists the users by name. */
export async function listUsers(context: CommandContext): Promise<CommandResult> {
  return await withJournal(context, (journal) => {
    const users = journal.users.list();
    const values = users.map((user) => ({
      id: user.id,
      name: user.name,
      created_at: new Date(user.createdMs).toISOString(),
    }));
    const rows = values.map((user) => [user.name, user.created_at.slice(0, 10)]);
    return {
      value: { users: values },
      text:
        users.length === 0
          ? "There is no user yet; 'loggia setup' makes the first one.\n"
          : tableText([{ heading: 'User' }, { heading: 'Added' }], rows),
    };
  });
}

/** Removes a user and ends all of the user's logins. */
export async function removeUser(context: CommandContext): Promise<CommandResult> {
  return await withJournal(context, async (journal) => {
    const user = mustFindUser(journal, operand(context.invocation, 0));
    await confirmDeletion(context, `The user ${user.name}`, user.name);
    journal.users.remove(user.id);
    return { value: { removed: user.name }, text: `Removed the user ${user.name}.\n` };
  });
}

/** @throws CommandError `bad_value`. */
export function parseUserName(text: string): string {
  const problem = userNameProblem(text);
  if (problem === undefined) return text;
  throw new CommandError('bad_value', problem, { hint: 'Choose another name.' });
}

function mustFindUser(journal: Journal, name: string): Account {
  const user = journal.users.byName(name);
  if (user !== undefined) return user;
  const nearest = nearestName(
    name,
    journal.users.list().map((known) => known.name),
  );
  throw new CommandError('not_found', `There is no user '${name}'.`, {
    hint: nearest === undefined ? "'loggia user list' shows them." : `Did you mean ${nearest}?`,
  });
}
