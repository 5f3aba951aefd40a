import { StorageError } from './storage-error.ts';

/** S3 allows 1,024 bytes; what is left is for the prefix of the store. */
export const KEY_BYTES_MAX = 900;
/** File systems allow 255; some stores in folders add an ending of their own. */
const SEGMENT_BYTES_MAX = 200;
/** The folder in which a folder store makes its files before they get their names. */
export const TEMPORARY_FOLDER = '.tandem-tmp';
// oxlint-disable-next-line no-control-regex -- control characters are what it looks for
const UNFIT_CHARACTER = /[\u0000-\u001f\u007f\\\ufffe\uffff]/;

/**
 * B3: refuses a key that some store could not keep, or that would leave the store's folder.
 *
 * @throws StorageError `storage_key_invalid`.
 */
export function checkKey(key: string): void {
  const complaint = keyComplaint(key);
  if (complaint === undefined) return;
  throw new StorageError('storage_key_invalid', `${JSON.stringify(key)} ${complaint}`);
}

/** Whether every store can keep an object of this name. */
export function isKey(key: string): boolean {
  return keyComplaint(key) === undefined;
}

/**
 * Refuses a prefix that no key can begin with: `a/`, `a/b` and the empty one are good, `../` is not.
 *
 * @throws StorageError `storage_key_invalid`.
 */
export function checkPrefix(prefix: string): void {
  if (prefix === '' || isKey(prefix) || isKey(`${prefix}x`)) return;
  const complaint = keyComplaint(`${prefix}x`) ?? 'is not the beginning of a key';
  throw new StorageError(
    'storage_key_invalid',
    `The prefix ${JSON.stringify(prefix)}: ${complaint}`,
  );
}

/** The order of listings: by bytes of UTF-8, which for rare characters is not that of `<`. */
export function compareKeys(left: string, right: string): number {
  return Buffer.compare(Buffer.from(left), Buffer.from(right));
}

function keyComplaint(key: string): string | undefined {
  if (key === '') return 'is empty';
  if (!key.isWellFormed()) return 'has half a character';
  if (UNFIT_CHARACTER.test(key)) return 'has a control character or a backslash';
  if (Buffer.byteLength(key) > KEY_BYTES_MAX) return `has more than ${KEY_BYTES_MAX} bytes`;
  for (const segment of key.split('/')) {
    const complaint = segmentComplaint(segment);
    if (complaint !== undefined) return complaint;
  }
  return undefined;
}

function segmentComplaint(segment: string): string | undefined {
  if (segment === '') return 'begins or ends with a slash or has two in a row';
  if (segment === '.' || segment === '..') return `has the part '${segment}'`;
  if (segment === TEMPORARY_FOLDER) return `has the part '${segment}', which is reserved`;
  if (segment.trim() !== segment) return 'has a part that begins or ends with a space';
  if (Buffer.byteLength(segment) > SEGMENT_BYTES_MAX)
    return `has a part of more than ${SEGMENT_BYTES_MAX} bytes`;
  return undefined;
}
