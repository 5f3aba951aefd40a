import { describe, expect, it } from 'vitest';
import { type S3Location, s3Url } from './s3-location.ts';

const LOCATION: S3Location = {
  endpoint: new URL('https://s3.example.com'),
  bucket: 'backup',
  prefix: '',
  region: 'us-east-1',
  isPathStyle: true,
};

describe('the URL of a request', () => {
  it.each<[string, Partial<S3Location>, string | undefined, string]>([
    ['the bucket', {}, undefined, 'https://s3.example.com/backup'],
    ['an object', {}, 'db/file', 'https://s3.example.com/backup/db/file'],
    ['an object below a folder', { prefix: 'a' }, 'f', 'https://s3.example.com/backup/a/f'],
    ['the bucket as host', { isPathStyle: false }, undefined, 'https://backup.s3.example.com/'],
    ['an object with it', { isPathStyle: false }, 'f', 'https://backup.s3.example.com/f'],
    ['a port', { endpoint: new URL('http://h:9000') }, 'f', 'http://h:9000/backup/f'],
  ])('has %s', (_, part, key, expected) => {
    expect(s3Url({ ...LOCATION, ...part }, key)).toBe(expected);
  });

  it('has every character as the signature has it', () => {
    expect(
      s3Url(LOCATION, "a b+c/~!'()*%é", { prefix: 'x y/', 'list-type': '2', uploads: '' }),
    ).toBe(
      'https://s3.example.com/backup/a%20b%2Bc/~%21%27%28%29%2A%25%C3%A9?prefix=x%20y%2F&list-type=2&uploads=',
    );
  });
});
