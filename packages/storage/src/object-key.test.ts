import { describe, expect, it } from 'vitest';
import { KEY_BYTES_MAX, checkKey, checkPrefix, compareKeys, isKey } from './object-key.ts';

describe('B3: a key', () => {
  it.each(['a', 'db/ltx/0/x.ltx', '...', 'a..b', '.hidden', 'a b', 'ü', 'x'.repeat(200), '%2e%2e'])(
    'may be %j',
    (key) => {
      expect(isKey(key)).toBe(true);
      expect(() => checkKey(key)).not.toThrow();
    },
  );

  it.each([
    ['', 'is empty'],
    ['/etc/passwd', 'begins or ends with a slash'],
    ['a/', 'begins or ends with a slash'],
    ['a//b', 'two in a row'],
    ['a/../b', "the part '..'"],
    ['./a', "the part '.'"],
    ['a/.tandem-tmp/b', 'reserved'],
    ['a\\b', 'backslash'],
    ['a\u0000', 'control character'],
    ['a\u007f', 'control character'],
    ['a\uffff', 'control character'],
    ['a /b', 'a space'],
    ['\udc00', 'half a character'],
    ['x'.repeat(201), 'more than 200 bytes'],
    [`${'ü'.repeat(90)}/`.repeat(5), `more than ${KEY_BYTES_MAX} bytes`],
  ])('may not be %j', (key, complaint) => {
    expect(isKey(key)).toBe(false);
    expect(() => checkKey(key)).toThrow(complaint);
  });
});

describe('a prefix of keys', () => {
  it.each(['', 'a', 'a/', 'a/b', 'a ', 'a/.'])('may be %j', (prefix) => {
    expect(() => checkPrefix(prefix)).not.toThrow();
  });

  it.each(['/', 'a//', '../', 'a/./b', '\u0001'])('may not be %j', (prefix) => {
    expect(() => checkPrefix(prefix)).toThrow('The prefix');
  });
});

it('keys are in the order of their bytes, not of their UTF-16 units', () => {
  expect(['\u{1f600}', '\ufb01', 'b', 'a/b', 'a-b'].sort(compareKeys)).toEqual([
    'a-b',
    'a/b',
    'b',
    '\ufb01',
    '\u{1f600}',
  ]);
});
