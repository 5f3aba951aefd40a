import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openStore, type ObjectStore } from '@tandem/storage';
import { afterEach, describe, expect, test } from 'vitest';
import {
  claimTerm,
  generationPrefix,
  generationsOf,
  pruneTerms,
  readTerms,
  type BackupTerm,
} from './backup-term.ts';

const folders: string[] = [];
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true });
});

function newStore(): ObjectStore {
  const folder = mkdtempSync(join(tmpdir(), 'tandem-terms-'));
  folders.push(folder);
  return openStore(folder);
}

function term(number: number, generation: number, sharedTxid = 0): BackupTerm {
  return {
    number,
    epoch: number,
    clusterId: 'LFSC1',
    generation,
    startTxid: number * 10,
    sharedTxid,
    startedMs: number * 1000,
    writer: `writer ${number}`,
  };
}

describe('the terms of a backup', () => {
  test('are read in their order as they were written', async () => {
    const store = newStore();
    for (const number of [1, 2, 300])
      expect(await claimTerm(store, 'a/b.db', term(number, 1))).toBe(true);
    const { clusterId: _, ...anonymous } = term(301, 1);
    await claimTerm(store, 'a/b.db', { ...anonymous, clusterId: undefined });
    expect(await readTerms(store, 'a/b.db')).toEqual([
      term(1, 1),
      term(2, 1),
      term(300, 1),
      { ...term(301, 1), clusterId: undefined },
    ]);
    expect((await readTerms(store, 'a/b.db', 2)).map(({ number }) => number)).toEqual([300, 301]);
    expect(await readTerms(store, 'a')).toEqual([]);
  });

  test('a number is given to one writer', async () => {
    const store = newStore();
    const wants = [1, 2, 3].map((epoch) => claimTerm(store, 'db', { ...term(7, 1), epoch }));
    expect((await Promise.all(wants)).filter(Boolean)).toHaveLength(1);
  });

  test('a record that is damaged is named', async () => {
    const store = newStore();
    await store.put('db/terms/0000000000000001.json', Buffer.from('{"version": 1'));
    await expect(readTerms(store, 'db')).rejects.toMatchObject({
      code: 'backup_record_invalid',
      message: expect.stringContaining('db/terms/0000000000000001.json') as unknown,
    });
    await store.put('db/terms/0000000000000001.json', Buffer.from('{"version": 2}'));
    await expect(readTerms(store, 'db')).rejects.toThrow('a newer program wrote it');
  });

  test('of old ones, those that begin a generation are kept', async () => {
    const store = newStore();
    const terms = [term(1, 1), term(2, 1), term(3, 2), term(4, 2), term(5, 2)];
    for (const each of terms) await claimTerm(store, 'db', each);
    await pruneTerms(store, 'db', terms, 1);
    expect((await readTerms(store, 'db')).map(({ number }) => number)).toEqual([1, 3, 5]);
    await pruneTerms(store, 'db', await readTerms(store, 'db'), 2);
    expect((await readTerms(store, 'db')).map(({ number }) => number)).toEqual([3, 5]);
  });
});

describe('generations', () => {
  test('share no more with the newest one than any in between does', () => {
    const terms = [term(1, 1), term(2, 2, 40), term(3, 3, 25), term(4, 3, 25)];
    expect(generationsOf('db', terms)).toEqual([
      { number: 1, prefix: 'db', sharedTxid: 25 },
      { number: 2, prefix: 'db/generations/0000000000000002', sharedTxid: 25 },
      { number: 3, prefix: 'db/generations/0000000000000003', sharedTxid: Infinity },
    ]);
  });

  test('the first one may have been there before any term', () => {
    expect(generationsOf('db', []).map(({ number }) => number)).toEqual([1]);
    expect(generationsOf('db', [term(1, 2)]).map(({ number }) => number)).toEqual([1, 2]);
    expect(generationPrefix('db', 1)).toBe('db');
  });
});
