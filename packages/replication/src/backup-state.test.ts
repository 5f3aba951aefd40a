import { CHECKSUM_FLAG, decodeLtx, encodeLtx, validateHeader, type LtxHeader } from '@tandem/ltx';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { LtxRewriter, storedChecksums, storedHeader } from './backup-state.ts';

const HEADER: LtxHeader = {
  pageSize: 512,
  commit: 9,
  minTxid: 4,
  maxTxid: 6,
  timestampMs: 1000,
  preApplyChecksum: CHECKSUM_FLAG | 5n,
  walOffsetBytes: 4096,
  walSizeBytes: 512,
  walSalt1: 7,
  walSalt2: 8,
  nodeId: 0n,
  isChecksummed: true,
};

const checksum = fc.bigInt({ min: 0n, max: CHECKSUM_FLAG - 1n }).map((low) => low | CHECKSUM_FLAG);

describe('the checksums of a file in a backup', () => {
  test('come back, and the header is one without checksums that obeys the format', () => {
    fc.assert(
      fc.property(checksum, checksum, (before, after) => {
        const header = storedHeader(HEADER, { before, after });
        validateHeader(header);
        expect(header).toMatchObject({ isChecksummed: false, preApplyChecksum: 0n });
        expect(storedChecksums(header)).toEqual({ before, after });
      }),
    );
  });

  test('of a snapshot are that after it alone', () => {
    const after = CHECKSUM_FLAG | 99n;
    const header = storedHeader({ ...HEADER, minTxid: 1 }, { before: undefined, after });
    validateHeader(header);
    expect(storedChecksums(header)).toEqual({ before: undefined, after });
    expect(header).toMatchObject({ walOffsetBytes: 0, walSalt1: 0, walSalt2: 0 });
  });

  test('are not looked for in the salts and node ids of other programs', () => {
    const foreign = {
      ...HEADER,
      isChecksummed: false,
      preApplyChecksum: 0n,
      walSalt1: 2 ** 32 - 1,
    };
    expect(storedChecksums(foreign)).toEqual({ before: undefined, after: undefined });
    expect(storedChecksums({ ...foreign, nodeId: 12n }).after).toBeUndefined();
  });

  test('are those of the format where a file has them', () => {
    const after = CHECKSUM_FLAG | 77n;
    const before = HEADER.preApplyChecksum;
    expect(storedChecksums(HEADER, after)).toEqual({ before, after });
    expect(storedChecksums(HEADER).after).toBeUndefined();
  });
});

test('a file that is rewritten has the same pages', () => {
  const pages = [2, 5, 9].map((pgno) => ({ pgno, data: new Uint8Array(512).fill(pgno) }));
  const after = CHECKSUM_FLAG | 3n;
  const before = HEADER.preApplyChecksum;
  const bytes = encodeLtx(HEADER, pages, after);
  const chunks: Uint8Array[] = [];
  const header = storedHeader(HEADER, { before, after });
  const rewriter = new LtxRewriter(header, (chunk) => chunks.push(chunk));
  for (let start = 0; start < bytes.length; start += 100)
    rewriter.push(bytes.subarray(start, start + 100));
  rewriter.finish();
  const decoded = decodeLtx(Buffer.concat(chunks));
  expect(decoded.header).toEqual(header);
  expect(decoded.trailer.postApplyChecksum).toBe(0n);
  expect(decoded.pages.map(({ pgno }) => pgno)).toEqual([2, 5, 9]);
  expect(decoded.pages.map(({ data }) => data[0])).toEqual([2, 5, 9]);
});
