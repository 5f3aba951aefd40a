import { afterAll, describe, expect, it } from 'vitest';
import { failureOf } from './collected.ts';
import { S3rverServer } from './s3rver-server.ts';
import { storeConformance } from './store-conformance.ts';

const server = await S3rverServer.start();
afterAll(async () => server.stop());

storeConformance({
  name: 'a bucket of s3rver',
  make: async () => server.newStore(),
  conditionalWrites: 'ignored',
  largeBytes: 11 * 1024 * 1024,
  listsMarkup: false,
});

describe('a bucket of s3rver', () => {
  it('says when the bucket is missing', async () => {
    const failure = await failureOf(server.store('other-bucket').check());
    expect(failure.code).toBe('storage_bucket_missing');
    expect(failure.message).toContain('s3://other-bucket');
    expect(failure.hint).toContain('Create the bucket');
  });

  it.each([
    ['key', { accessKeyId: 'NOBODY', secretAccessKey: 'S3RVER' }],
    ['secret', { accessKeyId: 'S3RVER', secretAccessKey: 'hunter2-is-secret' }],
  ])('says when the %s is wrong, without repeating the secret', async (_, credentials) => {
    const failure = await failureOf(server.newStore({ credentials }).check());
    expect(failure.code).toBe('storage_denied');
    expect(failure.hint).toContain('access key and its secret');
    expect(`${failure.message} ${failure.hint}`).not.toContain('hunter2');
  });

  it('asks a source of credentials at each request', async () => {
    let askedCount = 0;
    const credentials = async () => {
      askedCount += 1;
      return { accessKeyId: 'S3RVER', secretAccessKey: 'S3RVER' };
    };
    const store = server.newStore({ credentials });
    await store.put('a', Buffer.from('x'));
    await store.get('a');
    expect(askedCount).toBe(2);
  });

  it('says when there is no way to credentials', async () => {
    const credentials = async (): Promise<never> => Promise.reject(new Error('no role'));
    const failure = await failureOf(server.newStore({ credentials }).check());
    expect(failure).toMatchObject({ code: 'storage_denied', retryable: true });
    expect(failure.message).toContain('no role');
  });
});
