import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import type { ObjectStore } from '@tandem/storage';
import { openStore } from '@tandem/storage';
import { collected, failureOf } from './collected.ts';
import { S3Double } from './s3-double.ts';
import { S3rverServer } from './s3rver-server.ts';
import { TemporaryFolder } from './temporary-folder.ts';

const s3rver = await S3rverServer.start();
const double = await S3Double.start();
const folder = new TemporaryFolder();
let folderCount = 0;
afterAll(async () => {
  await s3rver.stop();
  double.stop();
  folder[Symbol.dispose]();
});

/** Folders begin with `d` and objects with `f`, so that none is both. */
const key = fc
  .tuple(
    fc.array(fc.constantFrom('d', 'd0', 'd-', 'dé'), { maxLength: 2 }),
    fc.constantFrom('f', 'f0', 'f.x', 'f x', 'f😀'),
  )
  .map(([parents, name]) => [...parents, name].join('/'));
const prefix = fc.constantFrom('', 'd', 'd/', 'd-/', 'd/f', 'f', 'dé/d', 'z');
const body = fc.uint8Array({ maxLength: 40 });

type Operation =
  | { readonly kind: 'put' | 'putIfAbsent'; readonly key: string; readonly body: Uint8Array }
  | { readonly kind: 'delete'; readonly key: string }
  | { readonly kind: 'get'; readonly key: string; readonly offset: number }
  | { readonly kind: 'list'; readonly prefix: string; readonly after: string };

const operation: fc.Arbitrary<Operation> = fc.oneof(
  fc.record({ kind: fc.constantFrom('put' as const, 'putIfAbsent' as const), key, body }),
  fc.record({ kind: fc.constant('delete' as const), key }),
  fc.record({ kind: fc.constant('get' as const), key, offset: fc.nat({ max: 50 }) }),
  fc.record({ kind: fc.constant('list' as const), prefix, after: fc.oneof(key, fc.constant('')) }),
);

async function apply(
  store: ObjectStore,
  model: Map<string, Uint8Array>,
  step: Operation,
): Promise<void> {
  switch (step.kind) {
    case 'put':
      await store.put(step.key, step.body);
      model.set(step.key, step.body);
      return;
    case 'putIfAbsent':
      expect(await store.putIfAbsent(step.key, step.body)).toBe(!model.has(step.key));
      if (!model.has(step.key)) model.set(step.key, step.body);
      return;
    case 'delete':
      await store.delete(step.key);
      model.delete(step.key);
      return;
    case 'get':
      await compareRead(store, model, step);
      return;
    case 'list':
      await compareListing(store, model, step);
  }
}

async function compareRead(
  store: ObjectStore,
  model: Map<string, Uint8Array>,
  step: { readonly key: string; readonly offset: number },
): Promise<void> {
  const stored = model.get(step.key);
  if (stored === undefined) {
    expect(await failureOf(store.get(step.key))).toMatchObject({ code: 'storage_not_found' });
    return;
  }
  expect(Buffer.from(await store.get(step.key)).equals(stored)).toBe(true);
  const part = await store.get(step.key, { offset: step.offset, lengthBytes: 7 });
  expect(Buffer.from(part).equals(stored.subarray(step.offset, step.offset + 7))).toBe(true);
}

async function compareListing(
  store: ObjectStore,
  model: Map<string, Uint8Array>,
  step: { readonly prefix: string; readonly after: string },
): Promise<void> {
  const bytes = (text: string): Buffer => Buffer.from(text);
  const expected = [...model.keys()]
    .filter((name) => name.startsWith(step.prefix))
    .filter((name) => step.after === '' || bytes(name).compare(bytes(step.after)) > 0)
    .sort((left, right) => bytes(left).compare(bytes(right)));
  const options = step.after === '' ? {} : { after: step.after };
  const listed = await collected(store.list(step.prefix, options));
  expect(listed.map((object) => object.key)).toEqual(expected);
  expect(listed.map((object) => object.sizeBytes)).toEqual(
    expected.map((name) => model.get(name)?.length),
  );
}

const SUBJECTS = [
  { name: 'a folder', make: () => openStore(folder.file(`store-${(folderCount += 1)}`)) },
  { name: 'a bucket of s3rver', make: () => s3rver.newStore() },
  {
    name: 'a bucket in pages of three',
    make: () => {
      double.reset();
      double.pageObjectsMax = 3;
      return double.newStore();
    },
  },
];

describe('B2: whatever is done to a store', () => {
  it.each(SUBJECTS)('$name answers as a map of keys to bytes would', async ({ make }) => {
    expect.hasAssertions();
    await fc.assert(
      fc.asyncProperty(fc.array(operation, { maxLength: 25 }), async (operations) => {
        const store = make();
        const model = new Map<string, Uint8Array>();
        for (const step of operations) await apply(store, model, step);
        await compareListing(store, model, { prefix: '', after: '' });
      }),
      { numRuns: 25 },
    );
  });
});

describe('B3: any text at all as a key', () => {
  it.each(SUBJECTS.slice(0, 1))('$name refuses it or gives back its object', async ({ make }) => {
    const store = make();
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: 'binary', maxLength: 12 }), body, async (text, bytes) => {
        const outcome = await store.put(text, bytes).then(
          () => 'stored',
          (error: unknown) => (error as { code?: string }).code,
        );
        if (outcome !== 'stored') {
          expect(outcome).toBe('storage_key_invalid');
          return;
        }
        expect(Buffer.from(await store.get(text)).equals(bytes)).toBe(true);
        await store.delete(text);
      }),
      { numRuns: 300 },
    );
    expect(await collected(store.list(''))).toEqual([]);
  });

  it('is refused or signed and sent as it is', async () => {
    const store = s3rver.newStore();
    const text = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 8 });
    await fc.assert(
      fc.asyncProperty(text, async (name) => {
        const outcome = await store.put(`x${name}`, Buffer.from(name)).then(
          () => 'stored',
          (error: unknown) => (error as { code?: string }).code,
        );
        if (outcome === 'storage_key_invalid') return;
        expect(outcome).toBe('stored');
        expect(Buffer.from(await store.get(`x${name}`)).toString()).toBe(name);
      }),
      { numRuns: 60 },
    );
  });
});
