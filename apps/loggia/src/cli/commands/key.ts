import { KEY_SCOPES, type KeyScope } from '@loggia/contract';
import { nearestName } from '../../config/nearest-name.ts';
import { flagValue, operand, type CommandContext, type CommandResult } from '../command.ts';
import { CommandError } from '../command-error.ts';
import { withJournal } from '../open-journal.ts';
import { parseNumber } from '../parse-number.ts';
import { pairsText, tableText } from '../table-text.ts';

const NAME_LENGTH_MAX = 100;

/** Makes a key. This is the only moment at which it can be read. */
export async function createKey(context: CommandContext): Promise<CommandResult> {
  const { invocation, terminal } = context;
  const name = parseName(flagValue(invocation, 'name'));
  const scopes = parseScopes(flagValue(invocation, 'scopes') ?? 'stats:read');
  return await withJournal(context, (journal) => {
    const { id, key } = journal.keys.create({ name, scopes, nowMs: terminal.nowMs() });
    return {
      value: { id, name, scopes, key },
      text:
        pairsText([
          ['Key', key],
          ['Name', name],
          ['May', scopes.join(', ')],
        ]) + 'Keep it now: it is not stored in a form that could be shown again.\n',
    };
  });
}

/** Lists the keys, oldest first. */
export async function listKeys(context: CommandContext): Promise<CommandResult> {
  return await withJournal(context, (journal) => {
    const keys = journal.keys.list();
    const columns = [
      { heading: 'Number', isNumber: true },
      { heading: 'Name' },
      { heading: 'May' },
      { heading: 'Made' },
    ];
    const rows = keys.map((key) => [
      String(key.id),
      key.name,
      key.scopes.join(', '),
      new Date(key.createdMs).toISOString().slice(0, 10),
    ]);
    const values = keys.map((key) => ({
      id: key.id,
      name: key.name,
      scopes: key.scopes,
      created_at: new Date(key.createdMs).toISOString(),
    }));
    return {
      value: { keys: values },
      text: keys.length === 0 ? 'There is no key.\n' : tableText(columns, rows),
    };
  });
}

/** Ends a key at once. */
export async function revokeKey(context: CommandContext): Promise<CommandResult> {
  const id = parseNumber('NUMBER', operand(context.invocation, 0), { min: 1, max: 2 ** 53 - 1 });
  return await withJournal(context, (journal) => {
    if (!journal.keys.revoke(id)) {
      throw new CommandError('not_found', `There is no key ${id}.`, {
        hint: "'loggia key list' shows the numbers.",
      });
    }
    return { value: { revoked: id }, text: `Revoked the key ${id}.\n` };
  });
}

function parseName(text: string | undefined): string {
  const name = text?.trim() ?? '';
  if (name !== '' && name.length <= NAME_LENGTH_MAX && !/\p{Cc}/u.test(name)) return name;
  throw new CommandError('usage', 'A key needs a name of at most 100 characters.', {
    hint: 'Write --name and what the key is for.',
  });
}

function parseScopes(text: string): readonly KeyScope[] {
  const names = text.split(/[\s,]+/).filter((name) => name !== '');
  if (names.length === 0) {
    throw new CommandError('usage', 'A key needs a scope.', { hint: 'Write --scopes stats:read.' });
  }
  return [...new Set(names.map(parseScope))];
}

function parseScope(name: string): KeyScope {
  const scopes = Object.keys(KEY_SCOPES) as KeyScope[];
  const scope = scopes.find((known) => known === name.toLowerCase());
  if (scope !== undefined) return scope;
  const nearest = nearestName(name, scopes);
  throw new CommandError('bad_value', `'${name}' is no scope.`, {
    hint: `${nearest === undefined ? '' : `Did you mean ${nearest}? `}There are ${scopes.join(', ')}.`,
  });
}
