import { LeaseError } from './lease-error.ts';

/** A JSON object whose members are not known yet. */
export type JsonObject = Readonly<Record<string, unknown>>;

/** Whether it is an object with members, and no array. */
export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/**
 * Parses an answer that must be one JSON object.
 *
 * @throws LeaseError `lease_bad_answer`.
 */
export function parseJsonObject(text: string): JsonObject {
  const value = tryParseJson(text);
  if (isJsonObject(value)) return value;
  throw new LeaseError('lease_bad_answer', `Not a JSON object: '${text.slice(0, 200)}'.`, {
    hint: 'Something else than the lease store answers at this address, perhaps a proxy.',
  });
}

/** The value, or undefined when the text is no JSON. */
export function tryParseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** A member that is an object, else an empty one. */
export function objectIn(object: JsonObject, member: string): JsonObject {
  const value = object[member];
  return isJsonObject(value) ? value : {};
}

/** A member's elements that are objects. */
export function objectsIn(object: JsonObject, member: string): readonly JsonObject[] {
  const value = object[member];
  return Array.isArray(value) ? value.filter(isJsonObject) : [];
}

/** A member that is a text, else undefined. */
export function stringIn(object: JsonObject, member: string): string | undefined {
  const value = object[member];
  return typeof value === 'string' ? value : undefined;
}

/** A member that is a finite number, or a text of digits as etcd writes numbers, else undefined. */
export function numberIn(object: JsonObject, member: string): number | undefined {
  const value = object[member];
  if (typeof value === 'number' && Number.isFinite(value)) return value;
  return typeof value === 'string' && /^\d{1,15}$/.test(value) ? Number(value) : undefined;
}
