import { expect, test } from 'vitest';
import { requestFraming } from './request-framing.ts';

const HOST = ['Host', 'a'];

test('a body has a length, chunks, or is not there', () => {
  expect(requestFraming(HOST, '1.1')).toEqual({ kind: 'none' });
  expect(requestFraming([...HOST, 'content-LENGTH', '0'], '1.1')).toEqual({
    kind: 'length',
    bytes: 0,
  });
  expect(requestFraming([...HOST, 'Transfer-Encoding', 'Chunked'], '1.1')).toEqual({
    kind: 'chunked',
  });
  expect(requestFraming([], '1.0')).toEqual({ kind: 'none' });
});

for (const [code, fields, version] of [
  ['bad_framing', ['Content-Length', '1', 'Transfer-Encoding', 'chunked'], '1.1'],
  ['bad_framing', ['Content-Length', '1', 'Content-Length', '1'], '1.1'],
  ['bad_framing', ['Content-Length', '1, 1'], '1.1'],
  ['bad_framing', ['Content-Length', '+1'], '1.1'],
  ['bad_framing', ['Content-Length', '1e3'], '1.1'],
  ['bad_framing', ['Content-Length', ''], '1.1'],
  ['bad_framing', ['Content-Length', '9007199254740993'], '1.1'],
  ['bad_framing', ['Transfer-Encoding', 'chunked'], '1.0'],
  ['unknown_coding', ['Transfer-Encoding', 'gzip, chunked'], '1.1'],
  ['unknown_coding', ['Transfer-Encoding', 'chunked', 'Transfer-Encoding', 'chunked'], '1.1'],
  ['unknown_coding', ['Transfer-Encoding', ''], '1.1'],
  ['bad_request', ['Host', 'b'], '1.1'],
] as const) {
  test(`HTTP/${version} with ${fields.join(' ')} is refused as ${code}`, () => {
    expect(() => requestFraming([...HOST, ...fields], version)).toThrow(
      expect.objectContaining({ code }),
    );
  });
}

test('HTTP/1.1 needs a Host', () => {
  expect(() => requestFraming([], '1.1')).toThrow(expect.objectContaining({ code: 'bad_request' }));
});
