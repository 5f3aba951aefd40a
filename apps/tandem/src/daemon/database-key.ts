import { hash } from 'node:crypto';

const KEY_LENGTH = 8;
const KEYS_MAX = 4096;
const keys = new Map<string, string>();

/**
 * The short key of a database in the cookies of clients, the same on all nodes. It does not tell the
 * database's name. Of a thousand databases, two have the same key once in 500 million clusters.
 */
export function databaseKey(name: string): string {
  const known = keys.get(name);
  if (known !== undefined) return known;
  if (keys.size >= KEYS_MAX) keys.clear();
  const key = hash('sha256', name, 'base64url').slice(0, KEY_LENGTH);
  keys.set(name, key);
  return key;
}
