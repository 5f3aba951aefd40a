import type { Goal } from '@loggia/contract';
import type { NewGoal } from '@loggia/journal';
import {
  flagValue,
  operand,
  type CommandContext,
  type CommandResult,
  type Invocation,
} from '../command.ts';
import { CommandError } from '../command-error.ts';
import { mustFindSite, withJournal } from '../open-journal.ts';
import { parseNumber } from '../parse-number.ts';
import { tableText } from '../table-text.ts';

/** Adds a goal; one with the same aim is returned as it is. */
export async function addGoal(context: CommandContext): Promise<CommandResult> {
  const aim = aimOf(context.invocation);
  return await withJournal(context, (journal) => {
    const site = mustFindSite(journal, operand(context.invocation, 0));
    const goal = journal.goals.create({ ...aim, siteId: site.id });
    return {
      value: { domain: site.domain, ...goalValue(goal) },
      text: `The goal '${goal.displayName}' of ${site.domain} has the number ${goal.id}.\n`,
    };
  });
}

/** Lists a site's goals, oldest first. */
export async function listGoals(context: CommandContext): Promise<CommandResult> {
  return await withJournal(context, (journal) => {
    const site = mustFindSite(journal, operand(context.invocation, 0));
    const goals = journal.goals.list(site.id);
    const columns = [
      { heading: 'Number', isNumber: true },
      { heading: 'Goal' },
      { heading: 'Kind' },
      { heading: 'Aim' },
    ];
    const rows = goals.map((goal) => [String(goal.id), goal.displayName, goal.kind, aimText(goal)]);
    return {
      value: { domain: site.domain, goals: goals.map(goalValue) },
      text: goals.length === 0 ? `${site.domain} has no goals.\n` : tableText(columns, rows),
    };
  });
}

/** Removes one goal by its number. */
export async function removeGoal(context: CommandContext): Promise<CommandResult> {
  const id = parseNumber('NUMBER', operand(context.invocation, 1), { min: 1, max: 2 ** 53 - 1 });
  return await withJournal(context, (journal) => {
    const site = mustFindSite(journal, operand(context.invocation, 0));
    if (!journal.goals.remove(site.id, id)) {
      throw new CommandError('not_found', `${site.domain} has no goal ${id}.`, {
        hint: `'loggia goal list ${site.domain}' shows the numbers.`,
      });
    }
    return { value: { domain: site.domain, removed: id }, text: `Removed the goal ${id}.\n` };
  });
}

type Aim = NewGoal extends infer Kind
  ? Kind extends NewGoal
    ? Omit<Kind, 'siteId'>
    : never
  : never;

function aimOf(invocation: Invocation): Aim {
  const event = flagValue(invocation, 'event');
  const page = flagValue(invocation, 'page');
  const scroll = flagValue(invocation, 'scroll');
  const currency = flagValue(invocation, 'currency');
  const name = flagValue(invocation, 'name');
  const named = name === undefined ? {} : { displayName: name };
  if ((event === undefined) === (page === undefined)) {
    throw usage('A goal has either --event or --page.', "'loggia help goal add' has an example.");
  }
  if (event !== undefined) {
    if (scroll !== undefined) throw usage('--scroll belongs to --page.', 'Leave it out.');
    if (event === '') throw usage('--event is empty.', 'Write the name of a custom event.');
    const revenue = currency === undefined ? {} : { currency: parseCurrency(currency) };
    return { kind: 'event', eventName: event, ...revenue, ...named };
  }
  if (currency !== undefined) throw usage('--currency belongs to --event.', 'Leave it out.');
  const pagePattern = parsePattern(page ?? '');
  if (scroll === undefined) return { kind: 'page', pagePattern, ...named };
  const scrollThreshold = parseNumber('--scroll', scroll, { min: 1, max: 100 });
  return { kind: 'scroll', pagePattern, scrollThreshold, ...named };
}

function parsePattern(text: string): string {
  if (/^[/*]/.test(text)) return text;
  throw new CommandError('bad_value', `--page is '${text}', which does not begin with a slash.`, {
    hint: 'Write a path such as /thanks or /blog/**.',
  });
}

function parseCurrency(text: string): string {
  const code = text.toUpperCase();
  if (Intl.supportedValuesOf('currency').includes(code)) return code;
  throw new CommandError('bad_value', `--currency is '${text}', which is no currency.`, {
    hint: 'Write an ISO 4217 code such as EUR.',
  });
}

function goalValue(goal: Goal) {
  return {
    id: goal.id,
    display_name: goal.displayName,
    kind: goal.kind,
    event_name: goal.eventName,
    page_pattern: goal.pagePattern,
    scroll_threshold: goal.scrollThreshold,
    currency: goal.currency,
  };
}

function aimText(goal: Goal): string {
  const currency = goal.currency === null ? '' : ` (${goal.currency})`;
  const scroll = goal.scrollThreshold === null ? '' : ` to ${goal.scrollThreshold}%`;
  return `${goal.eventName ?? goal.pagePattern ?? ''}${currency}${scroll}`;
}

function usage(message: string, hint: string): CommandError {
  return new CommandError('usage', message, { hint });
}
