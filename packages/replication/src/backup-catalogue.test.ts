import type { StoredLtxFile } from '@tandem/storage';
import { describe, expect, test } from 'vitest';
import { BackupCatalogue, findOverlap, newestFile } from './backup-catalogue.ts';

function file(level: number, minTxid: number, maxTxid: number, sizeBytes = 100): StoredLtxFile {
  const key = `db/ltx/${level}/${minTxid}-${maxTxid}.ltx`;
  return { key, level, minTxid, maxTxid, sizeBytes, createdMs: 0 };
}

const nothing = async (): Promise<void> => {};

describe('the catalogue of a backup', () => {
  test('knows what was found and what was written since', async () => {
    const catalogue = new BackupCatalogue([file(0, 2, 3)]);
    expect(catalogue.hasBase).toBe(false);
    await catalogue.write(file(9, 1, 4), nothing);
    expect(catalogue.hasBase).toBe(true);
    expect(catalogue.endTxid).toBe(4);
    await catalogue.remove(file(9, 1, 4), nothing);
    expect(catalogue.files()).toEqual([file(0, 2, 3)]);
  });

  test('names a file that somebody else has written or changed', async () => {
    const catalogue = new BackupCatalogue([file(0, 2, 3)]);
    const other = file(0, 4, 4);
    expect(await catalogue.compare(async () => [file(0, 2, 3), other])).toEqual({
      file: other,
      reason: 'unknown',
    });
    expect(await catalogue.compare(async () => [file(0, 2, 3, 99)])).toMatchObject({
      reason: 'changed',
    });
    expect(await catalogue.compare(async () => [file(0, 2, 3)])).toBeUndefined();
  });

  test('forgets a file that somebody has removed', async () => {
    const catalogue = new BackupCatalogue([file(0, 2, 3), file(0, 4, 4)]);
    expect(await catalogue.compare(async () => [file(0, 4, 4)])).toBeUndefined();
    expect(catalogue.files()).toEqual([file(0, 4, 4)]);
  });

  test('takes nothing for foreign that is being written or removed meanwhile', async () => {
    const catalogue = new BackupCatalogue([file(0, 2, 3), file(0, 4, 4)]);
    const writing = Promise.withResolvers<void>();
    const listing = Promise.withResolvers<StoredLtxFile[]>();
    const written = catalogue.write(file(0, 5, 5), () => writing.promise);
    const compared = catalogue.compare(() => listing.promise);
    await catalogue.remove(file(0, 2, 3), nothing);
    await catalogue.write(file(0, 6, 6), nothing);
    listing.resolve([file(0, 2, 3), file(0, 4, 4), file(0, 5, 5), file(0, 6, 6)]);
    expect(await compared).toBeUndefined();
    writing.resolve();
    await written;
    expect(catalogue.files().map(({ minTxid }) => minTxid)).toEqual([4, 6, 5]);
  });

  test('takes a file for its own whose writing failed and that arrived all the same', async () => {
    const catalogue = new BackupCatalogue([]);
    const failing = async (): Promise<void> => {
      throw new Error('no answer');
    };
    await expect(catalogue.write(file(0, 2, 2), failing)).rejects.toThrow('no answer');
    expect(catalogue.files()).toEqual([]);
    expect(await catalogue.compare(async () => [file(0, 2, 2)])).toBeUndefined();
    expect(catalogue.files()).toEqual([file(0, 2, 2)]);
    await expect(catalogue.remove(file(0, 2, 2), failing)).rejects.toThrow('no answer');
    expect(catalogue.files()).toEqual([file(0, 2, 2)]);
  });
});

describe('files of level 0', () => {
  test('overlap when two primaries have written, whatever lies between', () => {
    expect(
      findOverlap([file(0, 2, 3), file(0, 4, 4), file(1, 2, 4), file(9, 1, 4)]),
    ).toBeUndefined();
    const [early, late] = [file(0, 2, 9), file(0, 5, 6)];
    expect(findOverlap([late, file(0, 10, 10), early])).toEqual([early, late]);
    expect(findOverlap([file(0, 2, 3), file(0, 3, 3)])?.[1]).toEqual(file(0, 3, 3));
  });

  test('the newest is the smallest one with the last transaction', () => {
    expect(newestFile([])).toBeUndefined();
    const files = [file(9, 1, 8), file(0, 8, 8), file(1, 5, 8), file(0, 7, 7)];
    expect(newestFile(files)).toEqual(file(0, 8, 8));
  });
});
