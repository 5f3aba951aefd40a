import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { partsOf } from './body-parts.ts';
import { partBytesFor } from './s3-upload.ts';

async function* streamed(chunks: readonly Uint8Array[]): AsyncGenerator<Uint8Array> {
  yield* chunks;
}

async function partsAsText(
  body: Parameters<typeof partsOf>[0],
  partBytes: number,
): Promise<string[]> {
  const parts: string[] = [];
  for await (const part of partsOf(body, partBytes))
    parts.push(Buffer.from(part).toString('latin1'));
  return parts;
}

describe('the parts of a body', () => {
  it('are all of one size but the last, and together the body', async () => {
    const chunks = fc.array(fc.uint8Array({ maxLength: 9 }), { maxLength: 9 });
    await fc.assert(
      fc.asyncProperty(chunks, fc.integer({ min: 1, max: 12 }), async (chunks, partBytes) => {
        const whole = Buffer.concat(chunks);
        const body = { sizeBytes: whole.length, chunks: streamed(chunks) };
        const parts = await partsAsText(body, partBytes);
        expect(parts).toEqual(await partsAsText(whole, partBytes));
        expect(parts.join('')).toBe(whole.toString('latin1'));
        expect(parts).toHaveLength(Math.max(1, Math.ceil(whole.length / partBytes)));
        for (const part of parts.slice(0, -1)) expect(part).toHaveLength(partBytes);
      }),
    );
  });

  it.each([
    [3, 2],
    [3, 4],
    [0, 1],
    [8, 9],
  ])('B1: are refused when %i bytes were promised and %i come', async (sizeBytes, count) => {
    const body = { sizeBytes, chunks: streamed([Buffer.alloc(count)]) };
    await expect(partsAsText(body, 4)).rejects.toMatchObject({ code: 'storage_size_mismatch' });
  });
});

describe('the size of parts', () => {
  const MEBIBYTE = 1024 * 1024;

  it.each([
    [1, 16],
    [160_000 * MEBIBYTE, 16],
    [160_000 * MEBIBYTE + 1, 17],
    [5_000_000 * MEBIBYTE, 500],
  ])('for %i bytes is %i MiB, so that there are at most 10,000', (sizeBytes, expected) => {
    const partBytes = partBytesFor(sizeBytes, 16 * MEBIBYTE);
    expect(partBytes).toBe(expected * MEBIBYTE);
    expect(Math.ceil(sizeBytes / partBytes)).toBeLessThanOrEqual(10_000);
  });
});
