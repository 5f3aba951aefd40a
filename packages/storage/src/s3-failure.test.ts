import { describe, expect, it } from 'vitest';
import { RetryLater } from './retry.ts';
import { connectionFailure, refusal } from './s3-failure.ts';

const CONTEXT = {
  storeUrl: 's3://backup',
  action: 'write file',
  region: 'us-east-1',
  nowMs: Date.UTC(2026, 0, 1),
};

function coded(code: string): Error {
  return Object.assign(new Error(`connect ${code}`), { code });
}

describe('an answer that was not expected', () => {
  it('names what was done, where, and what the server said', () => {
    const body = '<Error><Code>AccessDenied</Code><Message>no</Message></Error>';
    expect(refusal({ status: 403, headers: {}, body }, CONTEXT)).toMatchObject({
      code: 'storage_denied',
      message: 'Could not write file (s3://backup): the server answered 403, AccessDenied: no',
    });
  });

  it.each([
    ['in the document', {}, '<Region>eu-west-1</Region>'],
    ['in a header', { 'x-amz-bucket-region': 'eu-west-1' }, ''],
  ])('names the region of the bucket, said %s', (_, headers, region) => {
    const body = `<Error><Code>AuthorizationHeaderMalformed</Code>${region}</Error>`;
    expect(refusal({ status: 400, headers, body }, CONTEXT)).toMatchObject({
      code: 'storage_region_wrong',
      hint: 'Add region=eu-west-1 to the address of the store.',
    });
  });

  it.each([
    ['3', 3000],
    ['Thu, 01 Jan 2026 00:00:09 GMT', 9000],
    ['Wed, 31 Dec 2025 00:00:00 GMT', 0],
    ['soon', undefined],
  ])('with Retry-After %j may be repeated after %s ms', (text, afterMs) => {
    const outcome = refusal({ status: 503, headers: { 'retry-after': text }, body: '' }, CONTEXT);
    expect(outcome).toBeInstanceOf(RetryLater);
    expect(outcome).toMatchObject({ afterMs });
  });
});

describe('a connection that failed', () => {
  it.each(['ECONNREFUSED', 'ECONNRESET', 'ENOTFOUND', 'EAI_AGAIN', 'ETIMEDOUT', 'EPIPE'])(
    'by %s is tried again',
    (code) => {
      const outcome = connectionFailure(coded(code), CONTEXT);
      expect(outcome).toMatchObject({ error: { code: 'storage_unreachable', retryable: true } });
    },
  );

  it.each([
    'DEPTH_ZERO_SELF_SIGNED_CERT',
    'CERT_HAS_EXPIRED',
    'ERR_TLS_CERT_ALTNAME_INVALID',
    'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
    'ERR_SSL_WRONG_VERSION_NUMBER',
    'EPROTO',
  ])('by %s is not, and the certificate is named', (code) => {
    const outcome = connectionFailure(coded(code), CONTEXT);
    expect(outcome).toMatchObject({ code: 'storage_unreachable', retryable: false });
    expect(outcome).toHaveProperty('hint', expect.stringContaining('certificate'));
  });

  it('at all addresses of a host says so', () => {
    const error = new AggregateError([coded('ECONNREFUSED'), coded('ETIMEDOUT')], '');
    expect(connectionFailure(error, CONTEXT)).toMatchObject({
      error: {
        message: 'Could not write file (s3://backup): connect ECONNREFUSED; connect ETIMEDOUT',
      },
    });
  });
});
