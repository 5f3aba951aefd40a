import fc from 'fast-check';
import { expect, it } from 'vitest';
import { LtxError } from './ltx-error.ts';
import { compressLz4Block, decompressLz4Block } from './lz4-block.ts';
import { lz4BlockBytesMax } from './lz4-block-compressor.ts';

const random = fc.uint8Array({ maxLength: 600 });
/** Pieces that repeat, in the manner of records in a page. */
const repetitive = fc
  .array(
    fc.tuple(fc.uint8Array({ minLength: 1, maxLength: 40 }), fc.integer({ min: 1, max: 60 })),
    {
      maxLength: 12,
    },
  )
  .map((pieces) =>
    Uint8Array.from(Buffer.concat(pieces.flatMap(([piece, times]) => Array(times).fill(piece)))),
  );
const content = fc.oneof(random, repetitive);

interface Sequence {
  readonly literals: number;
  /** 0 in the last sequence. */
  readonly matchBytes: number;
  /** How many bytes come before the match. */
  readonly matchAt: number;
}

/** The sequences of a valid block. */
function sequencesOf(block: Uint8Array): Sequence[] {
  const sequences: Sequence[] = [];
  let at = 0;
  let written = 0;
  const byte = (): number => block[at++] ?? Number.NaN;
  const length = (code: number): number => {
    let total = code;
    for (let more = code === 15 ? 255 : 0; more === 255;) total += more = byte();
    return total;
  };
  while (at < block.length) {
    const token = byte();
    const literals = length(token >>> 4);
    at += literals;
    written += literals;
    if (at === block.length) return [...sequences, { literals, matchBytes: 0, matchAt: written }];
    at += 2;
    const matchBytes = length(token & 15) + 4;
    sequences.push({ literals, matchBytes, matchAt: written });
    written += matchBytes;
  }
  throw new Error('The block does not end with literals.');
}

it('what is compressed comes back', () => {
  fc.assert(
    fc.property(content, (bytes) => {
      expect(decompressLz4Block(compressLz4Block(bytes), bytes.length)).toEqual(bytes);
    }),
    { numRuns: 500 },
  );
});

it('pages of every size come back, whatever is in them', () => {
  for (let pageSize = 512; pageSize <= 65_536; pageSize *= 2) {
    const zeros = new Uint8Array(pageSize);
    const counting = zeros.map((_, at) => at >>> 8);
    let seed = 1;
    const noise = zeros.map(() => (seed = Math.imul(seed, 1_103_515_245) + 12_345) >>> 16);
    for (const page of [zeros, counting, noise]) {
      const block = compressLz4Block(page);
      expect(Buffer.compare(decompressLz4Block(block, pageSize), page)).toBe(0);
      expect(block.length).toBeLessThanOrEqual(lz4BlockBytesMax(pageSize));
    }
    expect(compressLz4Block(zeros).length).toBeLessThan(20 + pageSize / 250);
  }
});

it('repetition makes a block smaller, and noise makes it hardly larger', () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 8, maxLength: 64 }), (piece) => {
      const bytes = Uint8Array.from(Buffer.concat(Array(64).fill(piece)));
      expect(compressLz4Block(bytes).length).toBeLessThan(piece.length + 40);
    }),
  );
  fc.assert(
    fc.property(random, (bytes) => {
      expect(compressLz4Block(bytes).length).toBeLessThanOrEqual(lz4BlockBytesMax(bytes.length));
    }),
  );
});

it('a block ends as the format demands: five literals, no match in the last twelve bytes', () => {
  fc.assert(
    fc.property(content, (bytes) => {
      const sequences = sequencesOf(compressLz4Block(bytes));
      const matches = sequences.slice(0, -1);
      if (matches.length === 0) return;
      expect(sequences.at(-1)?.literals).toBeGreaterThanOrEqual(5);
      expect(bytes.length - (matches.at(-1)?.matchAt ?? 0)).toBeGreaterThanOrEqual(12);
    }),
  );
});

it('an earlier call does not show in a later one', () => {
  fc.assert(
    fc.property(content, content, (first, second) => {
      const alone = compressLz4Block(second);
      compressLz4Block(first);
      expect(compressLz4Block(second)).toEqual(alone);
    }),
  );
});

it('writes into a target that it is given', () => {
  const bytes = new Uint8Array(512).fill(0x31);
  const target = new Uint8Array(lz4BlockBytesMax(512));
  const block = compressLz4Block(bytes, target);
  expect(block.buffer).toBe(target.buffer);
  expect(decompressLz4Block(block, 512)).toEqual(bytes);
});

it('a block of literals only is read', () => {
  const block = Uint8Array.from([0xf0, 0xff, 0xf2, ...new Uint8Array(512).fill(0x31)]);
  expect(decompressLz4Block(block, 512)).toEqual(new Uint8Array(512).fill(0x31));
});

it.each([
  ['nothing', []],
  ['a literal length without end', [0xf0, 0xff, 0xff]],
  ['fewer literals than stated', [0x50, 1, 2]],
  ['more than should come out', [0xa0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10]],
  ['a match before the beginning', [0x10, 1, 2, 0, 0x10, 1]],
  ['an offset of zero', [0x10, 1, 0, 0, 0x10, 1]],
  ['half an offset', [0x10, 1, 1]],
  ['a match as its end', [0x10, 1, 1, 0]],
  ['a match beyond the target', [0x1f, 1, 1, 0, 200, 0x10, 1]],
  ['a match length without end', [0x1f, 1, 1, 0, 255, 255]],
  ['less than should come out', [0x10, 1]],
])('a block with %s is refused', (_, bytes) => {
  expect(() => decompressLz4Block(Uint8Array.from(bytes), 8)).toThrow(LtxError);
});

it('hostile bytes are refused or make exactly the size asked for', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 80 }), fc.nat(2000), (block, size) => {
      try {
        expect(decompressLz4Block(block, size).length).toBe(size);
      } catch (error) {
        if (!(error instanceof LtxError)) throw error;
        expect(error.code).toBe('ltx_bad_compression');
      }
    }),
    { numRuns: 2000 },
  );
});

it('a block that is cut short is refused', () => {
  fc.assert(
    fc.property(content, fc.nat(), (bytes, at) => {
      const block = compressLz4Block(bytes);
      const cut = block.subarray(0, at % block.length);
      expect(() => decompressLz4Block(cut, bytes.length)).toThrow(LtxError);
    }),
  );
});
