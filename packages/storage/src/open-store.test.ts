import { describe, expect, it } from 'vitest';
import { openStore } from './open-store.ts';

const KEYS = { AWS_ACCESS_KEY_ID: 'KEY', AWS_SECRET_ACCESS_KEY: 'hunter2' };

describe('opening a store', () => {
  it('gives a folder for a path and a bucket for s3://', () => {
    expect(openStore('/backup')).toMatchObject({ url: 'file:///backup', layout: 'folder' });
    expect(openStore('s3://backup/a', { env: KEYS })).toMatchObject({
      url: 's3://backup/a',
      layout: 'bucket',
    });
  });

  it.each([
    ['no keys', {}],
    ['half of them', { AWS_ACCESS_KEY_ID: 'KEY' }],
    ['empty ones', { AWS_ACCESS_KEY_ID: 'KEY', AWS_SECRET_ACCESS_KEY: ' \n' }],
  ])('of S3 with %s says which to set', (_, env) => {
    expect(() => openStore('s3://backup', { env })).toThrow(
      expect.objectContaining({
        code: 'storage_denied',
        hint: 'Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY.',
      }),
    );
  });

  it('takes the keys that Litestream takes', () => {
    const env = { LITESTREAM_ACCESS_KEY_ID: 'KEY', LITESTREAM_SECRET_ACCESS_KEY: 'hunter2' };
    expect(openStore('s3://backup', { env }).url).toBe('s3://backup');
  });

  it('refuses parts that servers refuse', () => {
    expect(() => openStore('s3://backup', { env: KEYS, partBytes: 1_000_000 })).toThrow(
      'Parts of 1000000 bytes are too small',
    );
  });
});
