import { link, mkdir, open, readdir, rename, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { systemCode } from './folder-failure.ts';

const KEPT_MS = 24 * 3_600_000;
/** File systems that cannot sync a folder say so with these; they order renames themselves. */
const CANNOT_SYNC_FOLDERS = new Set(['EINVAL', 'ENOTSUP', 'EOPNOTSUPP']);

export interface WholeFile {
  readonly chunks: AsyncIterable<Uint8Array>;
  readonly createdMs: number | undefined;
}

/**
 * B1: writes and syncs a file under a name that nobody reads, so that whatever happens before it is
 * moved leaves nothing in sight. On failure nothing is left at all.
 */
export async function writeTemporary(
  path: string,
  { chunks, createdMs }: WholeFile,
): Promise<void> {
  try {
    await using file = await open(path, 'wx', 0o640);
    for await (const chunk of chunks) await file.writeFile(chunk);
    if (createdMs !== undefined) await file.utimes(createdMs / 1000, createdMs / 1000);
    await file.sync();
  } catch (error) {
    await rm(path, { force: true });
    throw error;
  }
}

/** Gives a finished file its name, for good: replaces what was there, survives a power cut. */
export async function moveIntoPlace(temporaryPath: string, path: string): Promise<void> {
  await makeFolder(dirname(path));
  await rename(temporaryPath, path);
  await syncFolder(dirname(path));
}

/** As `moveIntoPlace`, but false and no change when there is something of that name. */
export async function linkIntoPlace(temporaryPath: string, path: string): Promise<boolean> {
  await makeFolder(dirname(path));
  try {
    await link(temporaryPath, path);
  } catch (error) {
    if (systemCode(error) !== 'EEXIST' || (await stat(path)).isDirectory()) throw error;
    return false;
  }
  await syncFolder(dirname(path));
  return true;
}

/**
 * Makes a folder and those above it, and syncs the one that each was made in. Not by Node's own
 * recursive call, which answers 'no such file' on a read-only file system.
 */
export async function makeFolder(path: string): Promise<void> {
  try {
    await mkdir(path, { mode: 0o750 });
  } catch (error) {
    const code = systemCode(error);
    if (code === 'EEXIST') return;
    if (code !== 'ENOENT') throw error;
    await makeFolder(dirname(path));
    await makeFolder(path);
    return;
  }
  await syncFolder(dirname(path));
}

/** Removes what writers that were killed left behind, but not what another is writing now. */
export async function removeLeftovers(folder: string, nowMs: number): Promise<void> {
  for (const name of await readdir(folder)) {
    const path = join(folder, name);
    const found = await stat(path).catch(() => undefined);
    // The time of modification is the object's own, and may be years ago.
    if (found !== undefined && found.ctimeMs < nowMs - KEPT_MS) await rm(path, { force: true });
  }
}

async function syncFolder(path: string): Promise<void> {
  await using folder = await open(path, 'r');
  try {
    await folder.sync();
  } catch (error) {
    if (!CANNOT_SYNC_FOLDERS.has(systemCode(error) ?? '')) throw error;
  }
}
