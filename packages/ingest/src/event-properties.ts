import { cleanText } from './clean-text.ts';

export const PROPERTIES_MAX = 30;
export const PROPERTY_KEY_LENGTH_MAX = 300;
export const PROPERTY_VALUE_LENGTH_MAX = 2000;

/**
 * The custom properties in `value`, an object or JSON text of one: the first thirty whose values
 * are strings, numbers or booleans and not blank, as strings, cut to length.
 *
 * @returns null when none is left.
 */
export function parseEventProperties(value: unknown): Readonly<Record<string, string>> | null {
  const source = typeof value === 'string' ? tryParseJson(value) : value;
  if (typeof source !== 'object' || source === null || Array.isArray(source)) return null;
  const properties = new Map<string, string>();
  for (const [rawKey, rawValue] of Object.entries(source)) {
    if (properties.size >= PROPERTIES_MAX) break;
    const key = cleanText(rawKey.trim(), PROPERTY_KEY_LENGTH_MAX);
    const text = propertyText(rawValue);
    if (key !== '' && text !== null) properties.set(key, text);
  }
  // Object.fromEntries defines own entries, so that a key such as __proto__ is only a key.
  return properties.size === 0 ? null : Object.fromEntries(properties);
}

function propertyText(value: unknown): string | null {
  const isNumber = typeof value === 'number' && Number.isFinite(value);
  if (typeof value !== 'string' && typeof value !== 'boolean' && !isNumber) return null;
  const text = cleanText(String(value).trim(), PROPERTY_VALUE_LENGTH_MAX);
  return text === '' ? null : text;
}

function tryParseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
