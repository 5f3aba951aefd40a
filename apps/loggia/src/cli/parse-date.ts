import { addToDate, type LocalDate } from '@tandem/base';
import { CommandError } from './command-error.ts';

/** A date as YYYY-MM-DD. @throws CommandError `bad_value` that names `what`. */
export function parseDate(what: string, text: string): LocalDate {
  const isDate = /^[12]\d{3}-\d\d-\d\d$/.test(text) && !Number.isNaN(Date.parse(text));
  if (isDate && addToDate(text, {}) === text) return text;
  throw new CommandError('bad_value', `${what} is '${text}', which is no date.`, {
    hint: 'Write it as YYYY-MM-DD.',
  });
}
