import type { Draft } from './draft.ts';
import { subjectOf } from './given-value.ts';
import { SETTINGS, type SettingKey, type SettingValues } from './settings.ts';

/** The value of a key that cannot be done without; undefined after reporting that it is missing. */
export function needed<Key extends SettingKey>(
  draft: Draft,
  key: Key,
  because: string,
): NonNullable<SettingValues[Key]> | undefined {
  const value = draft.values[key];
  const isThere = value !== null && !(Array.isArray(value) && value.length === 0);
  if (isThere) return value;
  if (!draft.findings.hasErrorAbout(draft.given(key)?.name ?? key)) {
    const { expects, example } = SETTINGS[key];
    const message = `${key} is not given, which ${because}.`;
    draft.findings.error(
      'config_missing',
      key,
      message,
      `Write ${expects}, for example ${example}.`,
    );
  }
  return undefined;
}

/** Reports when one of two keys is given without the other. */
export function needTogether(draft: Draft, first: SettingKey, second: SettingKey): void {
  const isFirst = draft.isGiven(first);
  if (isFirst === draft.isGiven(second)) return;
  const [there, missing] = isFirst ? [first, second] : [second, first];
  const given = draft.given(there);
  const where = given === undefined ? there : subjectOf(given);
  draft.findings.error(
    'config_missing',
    draft.subject(there),
    `${where} is given without ${missing}.`,
    `Give both, or neither: ${missing} is ${SETTINGS[missing].expects}.`,
  );
}

/** The text of the file that a key names, checked to be readable; null when it names none. */
export function readNamedFile(draft: Draft, key: SettingKey): string | null {
  const path = draft.values[key];
  const given = draft.given(key);
  if (typeof path !== 'string' || given === undefined) return null;
  const found = draft.machine.readText(path);
  if ('value' in found) return found.value;
  draft.findings.badValue(given, found.problem, 'Correct the path, or make the file readable.');
  return null;
}
