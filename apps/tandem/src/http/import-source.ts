import { createReadStream, mkdtempSync, rmSync, statSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { backup, DatabaseSync } from 'node:sqlite';
import type { Readable } from 'node:stream';
import { ClientError } from './client-error.ts';

const MAGIC = 'SQLite format 3\0';

/** A file to import, with all that has been committed to it. */
export interface ImportSource {
  readonly sizeBytes: number;
  /** A new stream of the whole. */
  readonly read: () => Readable;
  /** Removes the copy, if one was made. */
  readonly close: () => void;
}

/**
 * Opens a database file to import. What SQLite keeps beside it, a WAL or a journal, belongs to it: when
 * there is such a file, a consistent copy is made and sent instead.
 *
 * @throws ClientError `import_source`.
 */
export async function openImportSource(path: string): Promise<ImportSource> {
  await mustBeDatabase(path);
  if (!['-wal', '-journal'].some((ending) => hasBytes(path + ending))) {
    return sourceOf(path, () => {});
  }
  const folder = mkdtempSync(join(tmpdir(), 'tandem-import-'));
  const remove = (): void => rmSync(folder, { recursive: true, force: true });
  try {
    const copy = join(folder, 'copy.db');
    const database = new DatabaseSync(path);
    try {
      await backup(database, copy);
    } finally {
      database.close();
    }
    return sourceOf(copy, remove);
  } catch (cause) {
    remove();
    throw unusable(path, cause instanceof Error ? cause.message : String(cause), cause);
  }
}

function sourceOf(path: string, close: () => void): ImportSource {
  const sizeBytes = statSync(path).size;
  // Should the file grow meanwhile, what was there is sent.
  const read = (): Readable => createReadStream(path, { end: sizeBytes - 1 });
  return { sizeBytes, read, close };
}

async function mustBeDatabase(path: string): Promise<void> {
  const start = Buffer.alloc(MAGIC.length);
  try {
    await using file = await open(path, 'r');
    await file.read(start, 0, start.length, 0);
  } catch (cause) {
    throw unusable(path, cause instanceof Error ? cause.message : String(cause), cause);
  }
  if (start.toString('latin1') === MAGIC) return;
  throw unusable(path, "it does not begin with 'SQLite format 3'");
}

function hasBytes(path: string): boolean {
  return (statSync(path, { throwIfNoEntry: false })?.size ?? 0) > 0;
}

function unusable(path: string, why: string, cause?: unknown): ClientError {
  return new ClientError('import_source', `${path} cannot be imported: ${why}.`, {
    cause,
    hint: 'Name a SQLite database file that this user may read.',
  });
}
