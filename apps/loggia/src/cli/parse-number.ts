import { wholeNumber } from '../config/parse-setting.ts';
import { CommandError } from './command-error.ts';

/**
 * A whole number between two bounds, both included.
 *
 * @throws CommandError `bad_value` that names `what`.
 */
export function parseNumber(
  what: string,
  text: string,
  bounds: { readonly min: number; readonly max: number },
): number {
  const parsed = wholeNumber(bounds.min, bounds.max)(text, { folder: '/' });
  if ('value' in parsed) return parsed.value;
  throw new CommandError('bad_value', `${what} is '${text}', which ${parsed.problem}.`, {
    hint: `Write a whole number of ${bounds.min} or more.`,
  });
}
