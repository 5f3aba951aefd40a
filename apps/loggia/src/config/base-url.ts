import type { Parsed } from './parsed.ts';

/**
 * Reads the public address of the server, with or without a path, and cuts its trailing slashes.
 * Only the syntax is looked at; the host need not exist.
 */
export function parseBaseUrl(text: string): Parsed<string> {
  if (!/^https?:\/\//i.test(text)) return { problem: 'does not begin with https:// or http://' };
  let url: URL;
  try {
    url = new URL(text);
  } catch {
    return { problem: 'is not a valid address' };
  }
  if (url.username !== '' || url.password !== '') return { problem: 'carries a user or password' };
  if (text.includes('?') || text.includes('#')) return { problem: 'carries a query or fragment' };
  return { value: `${url.origin}${url.pathname}`.replace(/\/+$/, '') };
}
