import { describe, expect, it } from 'vitest';
import { folderFailure } from './folder-failure.ts';

describe('a failed call in the folder of a store', () => {
  it.each([
    ['ENOSPC', 'storage_full', true],
    ['EDQUOT', 'storage_full', true],
    ['EACCES', 'storage_denied', false],
    ['EPERM', 'storage_denied', false],
    ['EROFS', 'storage_denied', false],
    ['EISDIR', 'storage_key_invalid', false],
    ['ENOTDIR', 'storage_key_invalid', false],
    ['EOPNOTSUPP', 'storage_unsupported', false],
    ['EXDEV', 'storage_unsupported', false],
    ['EIO', 'storage_failed', true],
    ['EMFILE', 'storage_failed', true],
    ['ESTALE', 'storage_failed', false],
  ])('with %s is %s, retryable: %s', (code, expected, retryable) => {
    const cause = Object.assign(new Error('what the system said'), { code });
    const failure = folderFailure(cause, '/backup/file');
    expect(failure).toMatchObject({ code: expected, retryable, cause });
    expect(failure.message).toMatch(/\/backup\/file|what the system said/);
    expect(failure.hint).not.toBeUndefined();
  });
});
