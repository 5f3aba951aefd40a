import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { completionDocument, parseErrorDocument, parseListPage, parseUploadId } from './s3-xml.ts';
import { StorageError } from './storage-error.ts';

const ENTRY =
  '<Contents><Key>db/0000/007</Key><Size>12</Size><LastModified>2026-01-02T03:04:05.678Z</LastModified></Contents>';

describe('a listing', () => {
  it.each([
    ['none', ''],
    ['one', ENTRY],
    ['two', `${ENTRY}\n${ENTRY}`],
  ])('of %s is read', (_, entries) => {
    const page = parseListPage(`<ListBucketResult><Name>b</Name>${entries}</ListBucketResult>`);
    const object = { key: 'db/0000/007', sizeBytes: 12, modifiedMs: 1_767_323_045_678 };
    const count = entries.split('<Key>').length - 1;
    expect(page).toEqual({
      objects: Array.from({ length: count }, () => object),
      isTruncated: false,
      nextToken: undefined,
    });
  });

  it('keeps keys as they are: numbers, spaces, entities', () => {
    const keyOf = (text: string): string | undefined =>
      parseListPage(`<ListBucketResult>${ENTRY.replace('db/0000/007', text)}</ListBucketResult>`)
        .objects[0]?.key;
    expect(keyOf('0012')).toBe('0012');
    expect(keyOf('true')).toBe('true');
    expect(keyOf('a&amp;b&lt;&#39;&#x2F;&quot;&#233;')).toBe('a&b<\'/"é');
    expect(keyOf('&amp;amp;')).toBe('&amp;');
  });

  it('of a thousand keys with entities is read', () => {
    const entries = ENTRY.replace('007', '&amp;&#39;&quot;').repeat(1000);
    expect(parseListPage(`<ListBucketResult>${entries}</ListBucketResult>`).objects).toHaveLength(
      1000,
    );
  });

  it.each([
    '',
    'Bad Gateway',
    '<html><body>Welcome<br></body></html>',
    '<ListBucketResult',
    `<ListBucketResult>${ENTRY.replace('12', '-x')}</ListBucketResult>`,
    `<ListBucketResult>${ENTRY.replace('2026', 'year')}</ListBucketResult>`,
    '<!DOCTYPE x [<!ENTITY a "b">]><x>&a;</x>',
  ])('is not made of %j', (text) => {
    expect(() => parseListPage(text)).toThrow(StorageError);
  });

  it('is read or refused, whatever is sent', () => {
    fc.assert(
      fc.property(fc.string(), fc.nat({ max: 200 }), (noise, at) => {
        const text = `<ListBucketResult>${ENTRY}</ListBucketResult>`;
        try {
          parseListPage(text.slice(0, at) + noise + text.slice(at));
        } catch (error) {
          expect(error).toBeInstanceOf(StorageError);
        }
      }),
    );
  });
});

it('the id of an upload is read', () => {
  const text =
    '<InitiateMultipartUploadResult><UploadId>\n a&amp;b \n</UploadId></InitiateMultipartUploadResult>';
  expect(parseUploadId(text)).toBe('a&b');
  expect(() => parseUploadId('<Error/>')).toThrow('the beginning of an upload');
});

it('an error is read, and nothing else is taken for one', () => {
  const text = '<Error><Code>NoSuchKey</Code><Message>It is &lt;gone&gt;</Message></Error>';
  expect(parseErrorDocument(text)).toEqual({
    code: 'NoSuchKey',
    message: 'It is <gone>',
    region: '',
  });
  for (const other of ['', 'text', '<Fine/>', '<a', '{}'])
    expect(parseErrorDocument(other)).toBeUndefined();
});

it('the parts of an upload are named in their order', () => {
  expect(completionDocument(['"a"', '<b>'])).toBe(
    '<CompleteMultipartUpload xmlns="http://s3.amazonaws.com/doc/2006-03-01/">' +
      '<Part><PartNumber>1</PartNumber><ETag>&quot;a&quot;</ETag></Part>' +
      '<Part><PartNumber>2</PartNumber><ETag>&lt;b></ETag></Part></CompleteMultipartUpload>',
  );
});
