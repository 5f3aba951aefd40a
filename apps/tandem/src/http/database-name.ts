import { HttpApiError } from './http-error.ts';

const NAME_BYTES_MAX = 512;
const PART_BYTES_MAX = 255;
/** What SQLite and Tandem keep beside a database. */
const COMPANION_ENDING = /-(?:journal|wal|shm|pos|lock)$|\.tandem-incoming$/;

/**
 * A database's name from a request, which names a file below the node's folder and nothing else:
 * parts with '/' between them, none of which is empty, hidden or leads upwards.
 *
 * @throws HttpApiError `bad_request`.
 */
export function parseDatabaseName(text: string): string {
  const problem = problemOf(text);
  if (problem === undefined) return text;
  throw new HttpApiError('bad_request', `A database cannot have this name: ${problem}.`, {
    hint: "Name it by its path below the databases' folder, as 'app.db' or 'tenants/a.db'.",
  });
}

function problemOf(text: string): string | undefined {
  if (Buffer.byteLength(text) > NAME_BYTES_MAX) return `it has more than ${NAME_BYTES_MAX} bytes`;
  if (/[\p{Cc}\\]/u.test(text)) {
    return 'it has a control character or a backslash';
  }
  for (const part of text.split('/')) {
    if (part === '') return 'it begins or ends with a slash, or has two in a row';
    if (part.startsWith('.')) return `'${part}' begins with a point`;
    if (Buffer.byteLength(part) > PART_BYTES_MAX)
      return `a part has more than ${PART_BYTES_MAX} bytes`;
  }
  const ending = COMPANION_ENDING.exec(text)?.[0];
  return ending === undefined ? undefined : `'${ending}' marks a file that belongs to a database`;
}
