import { HttpError } from '@loggia/contract';

import { nearestName } from './nearest-name.ts';

/** The refusal of a query, with the sentence that its sender reads. */
export function badQuery(message: string): HttpError {
  return new HttpError('bad_query', message);
}

/** The refusal of a name that does not exist, with the name that was probably meant. */
export function unknownName(what: string, name: unknown, known: readonly string[]): HttpError {
  const nearest = typeof name === 'string' ? nearestName(name, known) : undefined;
  const suggestion = nearest === undefined ? '' : ` Did you mean '${nearest}'?`;
  return badQuery(`There is no ${what} ${describe(name)}.${suggestion}`);
}

/** `value` for a message: at most about 100 characters, whatever its size and depth. */
export function describe(value: unknown): string {
  if (typeof value === 'string') return `'${shorten(value)}'`;
  return shorten(outline(value, 3));
}

// JSON.stringify would overflow the stack on a body that is nested a hundred thousand deep.
function outline(value: unknown, levels: number): string {
  if (Array.isArray(value)) {
    if (levels === 0) return '[…]';
    const items = value.slice(0, 5).map((item: unknown) => outline(item, levels - 1));
    return `[${items.join(', ')}${value.length > 5 ? ', …' : ''}]`;
  }
  if (typeof value === 'object' && value !== null) return '{…}';
  return JSON.stringify(typeof value === 'string' ? shorten(value) : value) ?? 'undefined';
}

function shorten(text: string): string {
  return text.length <= 100 ? text : `${text.slice(0, 99)}…`;
}
