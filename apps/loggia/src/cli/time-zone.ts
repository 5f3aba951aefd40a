import { isTimeZone } from '@tandem/base';
import { nearestName } from '../config/nearest-name.ts';
import { CommandError } from './command-error.ts';

/**
 * An IANA time zone as it is spelled in the runtime's list, whatever the case of `text`.
 *
 * @throws CommandError `bad_value` with the nearest zone that exists.
 */
export function parseTimeZone(text: string): string {
  const zones = Intl.supportedValuesOf('timeZone');
  const folded = text.trim().replaceAll(' ', '_').toLowerCase();
  const found = zones.find((zone) => zone.toLowerCase() === folded);
  if (found !== undefined) return found;
  // Names such as UTC and older aliases are valid without being in the list.
  if (isTimeZone(text.trim())) return text.trim();
  const nearest = zoneOfCity(folded, zones) ?? nearestName(folded, zones);
  throw new CommandError('bad_value', `'${text}' is no time zone.`, {
    hint:
      nearest === undefined
        ? 'Write an IANA name such as Europe/Berlin or UTC.'
        : `Did you mean ${nearest}?`,
  });
}

/** `berlin` is the end of exactly one name more often than it is near to a whole one. */
function zoneOfCity(folded: string, zones: readonly string[]): string | undefined {
  return zones.find((zone) => zone.toLowerCase().endsWith(`/${folded}`));
}
