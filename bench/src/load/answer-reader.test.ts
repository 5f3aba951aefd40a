import fc from 'fast-check';
import { expect, it } from 'vitest';
import { AnswerReader } from './answer-reader.ts';

const ACCEPTED = 'HTTP/1.1 202 Accepted\r\ncontent-length: 2\r\nDate: x\r\n\r\nok';
const OVERLOADED = 'HTTP/1.1 503 Service Unavailable\r\nContent-Length: 5\r\n\r\nLater';

it('tells the status of each answer', () => {
  const reader = new AnswerReader();
  expect(reader.read(Buffer.from(ACCEPTED))).toBe(202);
  expect(reader.read(Buffer.from(OVERLOADED))).toBe(503);
});

it('puts an answer together, wherever it was cut', () => {
  const cuts = fc.uniqueArray(fc.nat(ACCEPTED.length - 1), { maxLength: 6 });
  fc.assert(
    fc.property(cuts, (places) => {
      const reader = new AnswerReader();
      const inner = places.filter((place) => place > 0).sort((left, right) => left - right);
      const bounds = [0, ...inner, ACCEPTED.length];
      const statuses = bounds
        .slice(1)
        .map((end, index) => reader.read(Buffer.from(ACCEPTED.slice(bounds[index], end))));
      expect(statuses.pop()).toBe(202);
      expect(statuses.every((status) => status === undefined)).toBe(true);
      expect(reader.read(Buffer.from(OVERLOADED))).toBe(503);
    }),
  );
});

it('refuses an answer that does not tell its length', () => {
  const chunked = 'HTTP/1.1 202 Accepted\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n';
  expect(() => new AnswerReader().read(Buffer.from(chunked))).toThrow('does not tell its length');
});
