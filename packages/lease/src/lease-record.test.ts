import fc from 'fast-check';
import { expect, it } from 'vitest';
import {
  decodeLeaseRecord,
  decodeMembers,
  encodeLeaseRecord,
  encodeMembers,
} from './lease-record.ts';

const identity = fc.record({ id: fc.string(), name: fc.string(), advertiseUrl: fc.string() });
const record = fc.record(
  {
    epoch: fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }),
    holder: identity,
    reservation: fc.record({ successorName: fc.string(), durationMs: fc.nat() }),
  },
  { requiredKeys: ['epoch'] },
);

it('a record is read as it was written', () => {
  fc.assert(
    fc.property(record, fc.array(identity), (given, members) => {
      expect(decodeLeaseRecord(encodeLeaseRecord(given))).toEqual(given);
      expect(decodeMembers(encodeMembers(members))).toEqual(members);
    }),
  );
});

it.each(['', 'null', '[]', '{"epoch":-1}', '{"epoch":1.5,"holder":{"id":"x"}}', '{"epoch":"x"}'])(
  "'%s' of somebody else is no holder and no epoch",
  (text) => {
    expect(decodeLeaseRecord(text)).toEqual({ epoch: 0 });
    expect(decodeMembers(text)).toEqual([]);
  },
);
