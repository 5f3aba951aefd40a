import { describe, expect, it } from 'vitest';
import { StorageError } from './storage-error.ts';
import { parseStoreUrl } from './store-url.ts';

function s3Of(text: string, defaults = {}) {
  const address = parseStoreUrl(text, defaults);
  if (address.kind !== 's3') throw new Error('it is not S3');
  const { endpoint, ...rest } = address.location;
  return { url: address.url, endpoint: endpoint.href, ...rest };
}

describe('the address of a store', () => {
  it.each([
    ['/backup', '/backup'],
    ['./backup', './backup'],
    ['backup/a b', 'backup/a b'],
    ['file:///backup/a%20b', '/backup/a b'],
    ['file://localhost/backup', '/backup'],
  ])('%s is a folder', (text, path) => {
    expect(parseStoreUrl(text)).toEqual({ kind: 'folder', path });
  });

  it('of a bucket at Amazon needs no more than its name', () => {
    expect(s3Of('s3://backup')).toEqual({
      url: 's3://backup',
      endpoint: 'https://s3.us-east-1.amazonaws.com/',
      bucket: 'backup',
      prefix: '',
      region: 'us-east-1',
      isPathStyle: false,
    });
  });

  it('names server, region, folder and style', () => {
    const text =
      's3://backup/my/apps/?endpoint=http://minio:9000&region=home&force-path-style=false';
    expect(s3Of(text)).toEqual({
      url: 's3://backup/my/apps',
      endpoint: 'http://minio:9000/',
      bucket: 'backup',
      prefix: 'my/apps',
      region: 'home',
      isPathStyle: false,
    });
  });

  it.each([
    ['s3://backup?endpoint=https://minio.example', { isPathStyle: true, region: 'us-east-1' }],
    ['s3://backup?endpoint=https://a.r2.cloudflarestorage.com', { region: 'auto' }],
    ['s3://backup?region=cn-north-1', { endpoint: 'https://s3.cn-north-1.amazonaws.com.cn/' }],
    ['s3://my.backup', { isPathStyle: true }],
    ['s3://backup?forcePathStyle=true', { isPathStyle: true }],
    ['s3://backup/caf%C3%A9', { prefix: 'café' }],
  ])('%s has the usual rest', (text, expected) => {
    expect(s3Of(text)).toMatchObject(expected);
  });

  it('wins over the environment, which fills in the rest', () => {
    const defaults = { endpoint: 'http://other:1', region: 'elsewhere' };
    expect(s3Of('s3://backup?region=here', defaults)).toMatchObject({
      endpoint: 'http://other:1/',
      region: 'here',
    });
  });

  it.each([
    ['', 'is empty'],
    ['https://s3.example.com/backup', 'begins with https:'],
    ['s3://', 'name of a bucket'],
    ['s3://a', 'name of a bucket'],
    ['s3://minio:9000/backup', 'has the port 9000'],
    ['s3://backup?regoin=x', "unknown setting 'regoin'"],
    ['s3://backup?force-path-style=yes', "'force-path-style' is 'yes'"],
    ['s3://backup?endpoint=minio:9000', 'not a server'],
    ['s3://backup?endpoint=https://server/path', 'not a server'],
    ['s3://backup?region=a.b', 'cannot be a region'],
    ['s3://backup/a//b', 'two in a row'],
    ['s3://backup/%zz', 'percent sign'],
    [`s3://backup/${'x/'.repeat(100)}`, 'more than 123 bytes'],
    ['file://server/backup', 'is no path'],
  ])('%j is refused', (text, message) => {
    expect(() => parseStoreUrl(text)).toThrow(message);
    expect(() => parseStoreUrl(text)).toThrow(StorageError);
  });

  it.each(['s3://KEY:hunter2@backup', 's3://backup?endpoint=http://KEY:hunter2@minio'])(
    'with a password is refused without repeating it',
    (text) => {
      try {
        parseStoreUrl(text);
        expect.unreachable();
      } catch (error) {
        const { message, hint } = error as StorageError;
        expect(`${message} ${hint}`).toContain('password');
        expect(`${message} ${hint}`).not.toContain('hunter2');
      }
    },
  );
});
