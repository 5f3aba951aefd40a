import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { StorageError, openStore } from '@tandem/storage';

/** Puts a small and a large object into the folder it is given, and prints what came of it. */
const path = process.argv[2] ?? '';
const store = openStore(path);
const failures: unknown[] = [];
for (const sizeBytes of [3, 4_000_000]) {
  try {
    await store.put('file', Buffer.alloc(sizeBytes, 'x'));
  } catch (error) {
    if (!(error instanceof StorageError)) throw error;
    const { code, hint, retryable } = error;
    failures.push({ code, hint, retryable });
  }
}
const files = readdirSync(path, { recursive: true, encoding: 'utf8' }).filter(
  (name) => name !== '.tandem-tmp',
);
const sizeBytes = files.includes('file') ? (await store.stat('file')).sizeBytes : undefined;
process.stdout.write(
  JSON.stringify({ failures, files: files.map((name) => join('/', name)), sizeBytes }),
);
