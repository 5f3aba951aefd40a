import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ltxKey, ltxLevelPrefix, parseLtxKey } from './ltx-layout.ts';

const RANGE = { level: 9, minTxid: 1, maxTxid: 4095 };

describe('B4: the name of an LTX file', () => {
  it('is what Litestream v0.5 reads in a folder', () => {
    expect(ltxKey('folder', 'app.db', RANGE)).toBe(
      'app.db/ltx/9/0000000000000001-0000000000000fff.ltx',
    );
    expect(ltxLevelPrefix('folder', 'app.db', 0)).toBe('app.db/ltx/0/');
  });

  it('is what Litestream v0.5 reads in a bucket', () => {
    expect(ltxKey('bucket', 'app.db', RANGE)).toBe(
      'app.db/0009/0000000000000001-0000000000000fff.ltx',
    );
    expect(ltxLevelPrefix('bucket', 'app.db', 0)).toBe('app.db/0000/');
  });

  it('holds every transaction number up to 2^53 - 1', () => {
    const maxTxid = Number.MAX_SAFE_INTEGER;
    const key = ltxKey('bucket', 'db', { level: 0, minTxid: maxTxid, maxTxid });
    expect(key).toBe('db/0000/001fffffffffffff-001fffffffffffff.ltx');
    expect(parseLtxKey('bucket', key)?.maxTxid).toBe(maxTxid);
  });

  it('is read back as it was written, in its own layout only', () => {
    const txid = fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER });
    const prefix = fc.constantFrom('db', 'a/b.db', 'ltx', 'x/ltx/0', 'x/0000');
    const layout = fc.constantFrom('folder' as const, 'bucket' as const);
    const level = fc.integer({ min: 0, max: 9 });
    fc.assert(
      fc.property(
        layout,
        prefix,
        level,
        fc.tuple(txid, txid),
        (layout, prefix, level, [one, other]) => {
          const [minTxid, maxTxid] = [Math.min(one, other), Math.max(one, other)];
          const key = ltxKey(layout, prefix, { level, minTxid, maxTxid });
          expect(parseLtxKey(layout, key)).toEqual({
            databasePrefix: prefix,
            level,
            minTxid,
            maxTxid,
          });
          expect(parseLtxKey(layout === 'folder' ? 'bucket' : 'folder', key)).toBeUndefined();
        },
      ),
    );
  });

  it.each([
    '0000/0000000000000001-0000000000000001.ltx',
    'db/0000/0000000000000001-0000000000000001.ltx.tmp',
    'db/0000/0000000000000002-0000000000000001.ltx',
    'db/0000/0000000000000000-0000000000000001.ltx',
    'db/000a/0000000000000001-0000000000000001.ltx',
    'db/0000/000000000000000A-000000000000000B.ltx',
    'db/generations/0123456789abcdef/snapshots/00000000.snapshot.lz4',
    'db/lock.json',
    '',
  ])('is not %j', (key) => {
    expect(parseLtxKey('bucket', key)).toBeUndefined();
  });

  it('with a number that no database reaches is not skipped', () => {
    const key = 'db/0000/0000000000000001-0020000000000000.ltx';
    expect(() => parseLtxKey('bucket', key)).toThrow('above 2^53 - 1');
  });

  it.each([
    [{ ...RANGE, level: 10 }, 'levels are 0 to 9'],
    [{ ...RANGE, minTxid: 0 }, 'a transaction number is 1 or more'],
    [{ ...RANGE, minTxid: 2, maxTxid: 1 }, 'a file ends after it begins'],
    [{ ...RANGE, maxTxid: 2 ** 53 }, 'a file ends after it begins'],
  ])('is not made of %j', (range, message) => {
    expect(() => ltxKey('folder', 'db', range)).toThrow(message);
  });

  it.each(['', '../db', '/db'])('does not begin with %j', (prefix) => {
    expect(() => ltxKey('bucket', prefix, RANGE)).toThrow(JSON.stringify(prefix));
  });
});
