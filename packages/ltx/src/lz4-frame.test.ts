import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ByteQueue } from './byte-queue.ts';
import { LtxError } from './ltx-error.ts';
import { readLz4Frame } from './lz4-frame.ts';
import { XxHash32, xxHash32 } from './xxhash32.ts';

/** What the files of `testdata/lz4` hold. */
const RUN = new Uint8Array(512).fill(0x31);
const WORDS = wordBytes(150_000);
const RANDOM = noise(100);

function wordBytes(count: number): Uint8Array {
  const words = ['alpha', 'beta', 'gamma', 'delta'];
  const text = Array.from({ length: count / 5 }, (_, at) => `${words[at % 4]}${at % 7}`).join('');
  return new TextEncoder().encode(text.slice(0, count));
}

function noise(count: number): Uint8Array {
  let seed = 1;
  return new Uint8Array(count).map(() => {
    seed = Math.imul(seed, 1_103_515_245) + 12_345;
    return seed >>> 16;
  });
}

function readFrameFile(name: string): Uint8Array {
  return readFileSync(new URL(`../testdata/lz4/${name}.lz4`, import.meta.url));
}

/** Feeds a frame in chunks of `chunkBytes`; undefined when it does not end. */
function contentOf(frame: Uint8Array, chunkBytes: number, bytesMax = 1 << 20): Buffer | undefined {
  const input = new ByteQueue();
  const steps = readLz4Frame(input, bytesMax);
  const pieces: Uint8Array[] = [];
  for (let at = 0; at < frame.length; at += chunkBytes) {
    input.push(frame.slice(at, at + chunkBytes));
    for (;;) {
      const step = steps.next();
      if (step.done === true) return Buffer.concat(pieces);
      if (step.value === undefined) break;
      pieces.push(step.value.slice());
    }
    input.settle();
  }
  return undefined;
}

const FILES = [
  ['run', RUN],
  ['run-with-size', RUN],
  ['words-dependent', WORDS],
  ['words-block-checksums', WORDS],
  ['random', RANDOM],
] as const;

describe.each(FILES)('the frame %s', (name, content) => {
  it('is read, however it is cut', () => {
    const frame = readFrameFile(name);
    for (const chunkBytes of [1, 7, 100, frame.length]) {
      expect(contentOf(frame, chunkBytes)?.compare(content)).toBe(0);
    }
  });

  it('is refused or reads the same when a bit of it is wrong', () => {
    const frame = readFrameFile(name);
    fc.assert(
      fc.property(fc.nat(frame.length * 8 - 1), (bit) => {
        const damaged = frame.slice();
        damaged[bit >>> 3] = (damaged[bit >>> 3] ?? 0) ^ (1 << (bit & 7));
        try {
          expect(contentOf(damaged, frame.length)?.compare(content) ?? 0).toBe(0);
        } catch (error) {
          if (!(error instanceof LtxError)) throw error;
          expect(error.code).toBe('ltx_bad_compression');
        }
      }),
    );
  });

  it('does not end when its end is missing', () => {
    const frame = readFrameFile(name);
    expect(contentOf(frame.subarray(0, -1), 1000)).toBeUndefined();
  });
});

it('a frame with more content than allowed is refused', () => {
  expect(() => contentOf(readFrameFile('run'), 100, 511)).toThrow(/damaged/);
  expect(() => contentOf(readFrameFile('random'), 100, 99)).toThrow(/more than it should/);
});

it('xxHash32 has the values that the LZ4 command writes and the published one of nothing', () => {
  expect(xxHash32(new Uint8Array(0))).toBe(0x02cc_5d05);
  expect(xxHash32(RUN)).toBe(0x9821_2d5e);
  expect(xxHash32(RANDOM)).toBe(0xe1f1_2721);
});

it('xxHash32 does not depend on how the bytes come in', () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 50 }), { maxLength: 8 }), (parts) => {
      const hash = new XxHash32();
      for (const part of parts) hash.update(part);
      expect(hash.digest()).toBe(xxHash32(Buffer.concat(parts)));
    }),
  );
});
