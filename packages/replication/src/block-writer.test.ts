import { mkdtempDisposableSync, openSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { BlockWriter } from './block-writer.ts';

const KIB = 1024;

test('the file holds what was written last, wherever blocks begin and end', async () => {
  const write = fc.record({ at: fc.nat(3000), length: fc.integer({ min: 1, max: 1500 }) });
  const property = fc.asyncProperty(
    fc.array(write, { maxLength: 12 }),
    fc.boolean(),
    async (writes, isAscending) => {
      using folder = mkdtempDisposableSync(join(tmpdir(), 'tandem-blocks-'));
      const path = join(folder.path, 'file');
      const writer = new BlockWriter(openSync(path, 'w+'));
      const model = new Uint8Array(8000 * KIB);
      let end = 0;
      for (const [index, { at, length }] of writes.entries()) {
        const offset = isAscending ? end : at * KIB;
        const bytes = new Uint8Array(length * KIB).fill(index + 1);
        if (offset + bytes.length > model.length) continue;
        await writer.write(bytes, offset);
        // They were copied.
        model.set(bytes, offset);
        bytes.fill(255);
        end = Math.max(end, offset + bytes.length);
      }
      expect(await writer.written()).toBe(undefined);
      expect(readFileSync(path).equals(model.subarray(0, end))).toBe(true);
      await writer.close();
    },
  );
  await fc.assert(property, { numRuns: 25 });
});

test('a failure is told of once, and later writes are judged by themselves', async () => {
  const writer = new BlockWriter(openSync('/dev/full', 'r+'));
  for (let block = 0; block < 5; block += 1) {
    await writer.write(new Uint8Array(1 << 20), block << 20);
  }
  expect(await writer.written()).toMatchObject({ code: 'ENOSPC' });
  expect(writer.hasFailed).toBe(false);
  expect(await writer.written()).toBe(undefined);
  await writer.close();
});
