import { describe, expect, it } from 'vitest';
import type { ConditionalWrites, ObjectStore } from '@tandem/storage';
import { bytesOf, collected, failureOf, streamed } from './collected.ts';

export interface ConformanceSubject {
  readonly name: string;
  /** An empty store. */
  readonly make: () => Promise<ObjectStore>;
  readonly conditionalWrites: ConditionalWrites;
  /** A body this large goes another way than a small one. */
  readonly largeBytes: number;
  /** s3rver escapes keys twice in its listings, so those with `&`, `<`, `>` or `'` are not theirs. */
  readonly listsMarkup: boolean;
}

/** What every store does, whatever it keeps its objects in. */
export function storeConformance(subject: ConformanceSubject): void {
  describe(`${subject.name} as a store`, () => {
    storesWholeObjects(subject);
    readsParts(subject);
    lists(subject);
    decidesBetweenWriters(subject);
    refusesKeys(subject);
  });
}

function storesWholeObjects({ make, largeBytes }: ConformanceSubject): void {
  it('gives back what was put', async () => {
    const store = await make();
    await store.put('db/file', Buffer.from('hello'));
    expect(Buffer.from(await store.get('db/file')).toString()).toBe('hello');
    expect((await bytesOf(store.stream('db/file'))).toString()).toBe('hello');
  });

  it('replaces what was there', async () => {
    const store = await make();
    await store.put('file', Buffer.from('a long first version'));
    await store.put('file', Buffer.from('short'));
    expect(Buffer.from(await store.get('file')).toString()).toBe('short');
  });

  it('keeps an empty object', async () => {
    const store = await make();
    await store.put('empty', new Uint8Array());
    await store.put('empty-too', { sizeBytes: 0, chunks: streamed([]) });
    expect(await store.get('empty')).toHaveLength(0);
    expect(await bytesOf(store.stream('empty'))).toHaveLength(0);
    expect(await store.stat('empty-too')).toMatchObject({ sizeBytes: 0 });
  });

  it('keeps a large body that is made while it is sent', async () => {
    const store = await make();
    const chunk = Buffer.alloc(1_000_003, 'abcdefg');
    const count = Math.ceil(largeBytes / chunk.length) + 1;
    const sizeBytes = count * chunk.length;
    const chunks = streamed(Array.from({ length: count }, () => chunk));
    await store.put('large', { sizeBytes, chunks });
    expect(await store.stat('large')).toMatchObject({ sizeBytes });
    const read = await bytesOf(store.stream('large'));
    expect(read.equals(Buffer.concat(Array.from({ length: count }, () => chunk)))).toBe(true);
    const tail = await store.get('large', { offset: sizeBytes - 7, lengthBytes: 100 });
    expect(Buffer.from(tail).equals(chunk.subarray(-7))).toBe(true);
  });

  it.each([4, 6])('B1: leaves nothing of a body of %i bytes said to have 5', async (length) => {
    const store = await make();
    const body = { sizeBytes: 5, chunks: streamed([Buffer.alloc(2), Buffer.alloc(length - 2)]) };
    expect(await failureOf(store.put('wrong', body))).toMatchObject({
      code: 'storage_size_mismatch',
    });
    expect(await collected(store.list(''))).toEqual([]);
  });

  it('B1: leaves the old object when the new one cannot be made', async () => {
    const store = await make();
    await store.put('file', Buffer.from('old'));
    const broken = async function* (): AsyncGenerator<Uint8Array> {
      yield Buffer.alloc(100);
      throw new Error('the source broke');
    };
    const body = { sizeBytes: 200, chunks: broken() };
    await expect(store.put('file', body)).rejects.toThrow('the source broke');
    expect(Buffer.from(await store.get('file')).toString()).toBe('old');
    expect((await collected(store.list(''))).map(({ key }) => key)).toEqual(['file']);
  });

  it('remembers when the content came into being', async () => {
    const store = await make();
    const createdMs = Date.UTC(2021, 5, 1, 12, 0, 0, 123);
    await store.put('old', Buffer.from('x'), { createdMs });
    expect(await store.stat('old')).toMatchObject({ key: 'old', sizeBytes: 1, createdMs });
  });

  it('removes objects, and is content when there is none', async () => {
    const store = await make();
    await store.put('db/file', Buffer.from('x'));
    await store.delete('db/file');
    await store.delete('db/file');
    await store.delete('never/was');
    expect(await collected(store.list(''))).toEqual([]);
  });

  it('says which object is missing', async () => {
    const store = await make();
    await store.put('db/file', Buffer.from('x'));
    for (const key of ['absent', 'db/absent', 'db/file/absent']) {
      const failures = [store.get(key), store.stat(key), bytesOf(store.stream(key))];
      for (const failure of await Promise.all(failures.map(failureOf))) {
        expect(failure.code).toBe('storage_not_found');
        expect(failure.message).toContain(key);
      }
    }
  });

  it('passes its own check, and leaves nothing of it', async () => {
    const store = await make();
    await store.check();
    expect(await collected(store.list(''))).toEqual([]);
  });
}

function readsParts({ make }: ConformanceSubject): void {
  it.each([
    [0, 3, 'abc'],
    [2, 3, 'cde'],
    [4, 100, 'ef'],
    [5, 1, 'f'],
    [6, 1, ''],
    [1000, 5, ''],
  ])(
    'reads from %i on %i bytes, as far as there are any',
    async (offset, lengthBytes, expected) => {
      const store = await make();
      await store.put('letters', Buffer.from('abcdef'));
      const read = await store.get('letters', { offset, lengthBytes });
      expect(Buffer.from(read).toString()).toBe(expected);
    },
  );
}

function lists({ make, listsMarkup }: ConformanceSubject): void {
  it('B2: lists by key, with size and time', async () => {
    const store = await make();
    const keys = ['a/x', 'a-b', 'a.txt', 'b/c/d', 'b/c.e', 'é', 'a/w', 'Z'];
    for (const key of keys) await store.put(key, Buffer.from(key));
    const listed = await collected(store.list(''));
    expect(listed.map(({ key }) => key)).toEqual(keys.toSorted());
    expect(listed.map(({ sizeBytes }) => sizeBytes)).toEqual(
      keys.toSorted().map((key) => Buffer.byteLength(key)),
    );
    for (const { modifiedMs } of listed)
      expect(Math.abs(modifiedMs - Date.now())).toBeLessThan(60_000);
  });

  it.each([
    ['db/', undefined, ['db/0/1', 'db/0/2', 'db/1/1']],
    ['db/0', undefined, ['db/0/1', 'db/0/2']],
    ['db/0/2', undefined, ['db/0/2']],
    ['d', 'db/0/1', ['db/0/2', 'db/1/1', 'dc']],
    ['', 'db/1/0', ['db/1/1', 'dc']],
    ['db/1/', 'db/0/9', ['db/1/1']],
    ['', 'dd', []],
    ['absent/', undefined, []],
  ])('lists %j after %j', async (prefix, after, expected) => {
    const store = await make();
    for (const key of ['db/0/1', 'db/0/2', 'db/1/1', 'dc']) await store.put(key, Buffer.from('x'));
    const options = after === undefined ? {} : { after };
    const listed = await collected(store.list(prefix, options));
    expect(listed.map(({ key }) => key)).toEqual(expected);
  });

  it('keeps keys with all sorts of characters apart', async () => {
    const store = await make();
    const keys = ['a b', 'a+b', 'a%20b', 'q?x=1;y#(!*)', 'ü/日本', '~tilde', '"', '😀', '%zz'];
    if (listsMarkup) keys.push('a&b', 'a&amp;b', '<>', "it's", 'a&#39;b');
    for (const key of keys) await store.put(key, Buffer.from(key));
    expect((await collected(store.list(''))).map(({ key }) => key).toSorted()).toEqual(
      keys.toSorted(),
    );
    for (const key of keys) expect(Buffer.from(await store.get(key)).toString()).toBe(key);
  });
}

function decidesBetweenWriters({ make, conditionalWrites }: ConformanceSubject): void {
  it('does not put where there is something', async () => {
    const store = await make();
    expect(await store.putIfAbsent('claim', Buffer.from('first'))).toBe(true);
    expect(await store.putIfAbsent('claim', Buffer.from('second'))).toBe(false);
    expect(Buffer.from(await store.get('claim')).toString()).toBe('first');
  });

  it(`B2: reports conditional writes as ${conditionalWrites}`, async () => {
    const store = await make();
    expect(await store.probeConditionalWrites()).toBe(conditionalWrites);
    expect(await collected(store.list(''))).toEqual([]);
  });

  if (conditionalWrites !== 'honoured') return;
  it('B2: lets one of many writers win', async () => {
    const store = await make();
    const names = Array.from({ length: 12 }, (_, index) => `writer ${index}`);
    const won = await Promise.all(
      names.map(async (name) => store.putIfAbsent('claim', Buffer.from(name))),
    );
    const winners = names.filter((_, index) => won[index]);
    expect(winners).toEqual([Buffer.from(await store.get('claim')).toString()]);
  });
}

function refusesKeys({ make }: ConformanceSubject): void {
  it.each([
    '',
    '/a',
    'a/',
    'a//b',
    '../a',
    'a/../b',
    'a/.',
    'a\\b',
    'a\0b',
    'a\nb',
    ' a',
    '\ud800',
  ])('B3: refuses the key %j in every operation', async (key) => {
    const store = await make();
    const attempts = [
      store.put(key, Buffer.from('x')),
      store.putIfAbsent(key, Buffer.from('x')),
      store.get(key),
      store.stat(key),
      store.delete(key),
      bytesOf(store.stream(key)),
    ];
    for (const failure of await Promise.all(attempts.map(failureOf)))
      expect(failure.code).toBe('storage_key_invalid');
  });

  it.each(['/', '../', 'a/../', 'a//'])('B3: refuses to list %j', async (prefix) => {
    const store = await make();
    expect(await failureOf(collected(store.list(prefix)))).toMatchObject({
      code: 'storage_key_invalid',
    });
  });
}
