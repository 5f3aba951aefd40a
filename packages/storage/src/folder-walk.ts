import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { isAbsent } from './folder-failure.ts';
import { TEMPORARY_FOLDER, compareKeys, isKey } from './object-key.ts';
import type { StoredObject } from './object-store.ts';

/**
 * The files below `root` as objects, in the order of their keys, for keys that begin with `prefix`
 * and come after `after`. Files that vanish meanwhile, links, and names that are no keys are left out.
 */
export async function* walkFolder(
  root: string,
  prefix: string,
  after: string,
): AsyncGenerator<StoredObject> {
  const start = prefix.slice(0, prefix.lastIndexOf('/') + 1);
  yield* walk({ root, prefix, after }, start);
}

interface Walk {
  readonly root: string;
  readonly prefix: string;
  readonly after: string;
}

/** `base` is the key of a folder with its slash, or empty for the root. */
async function* walk(options: Walk, base: string): AsyncGenerator<StoredObject> {
  const { root, prefix, after } = options;
  for (const name of await namesIn(join(root, base))) {
    const key = base + name;
    if (name.endsWith('/')) {
      if (!isWithinReach(key, options) || key === `${TEMPORARY_FOLDER}/`) continue;
      yield* walk(options, key);
    } else if (key.startsWith(prefix) && isAfter(key, after) && isKey(key)) {
      const object = await objectAt(root, key);
      if (object !== undefined) yield object;
    }
  }
}

/** Files by their names and folders by theirs with a slash, so that the order is that of keys. */
async function namesIn(folder: string): Promise<string[]> {
  try {
    const entries = await readdir(folder, { withFileTypes: true });
    return entries
      .filter((entry) => entry.isFile() || entry.isDirectory())
      .map((entry) => (entry.isDirectory() ? `${entry.name}/` : entry.name))
      .sort(compareKeys);
  } catch (error) {
    if (isAbsent(error)) return [];
    throw error;
  }
}

/** Whether a folder can hold keys that are asked for. */
function isWithinReach(folderKey: string, { prefix, after }: Walk): boolean {
  const isPrefixed = folderKey.startsWith(prefix) || prefix.startsWith(folderKey);
  return isPrefixed && (after.startsWith(folderKey) || isAfter(folderKey, after));
}

function isAfter(key: string, after: string): boolean {
  return after === '' || compareKeys(key, after) > 0;
}

async function objectAt(root: string, key: string): Promise<StoredObject | undefined> {
  try {
    const { size, mtimeMs } = await stat(join(root, key));
    return { key, sizeBytes: size, modifiedMs: Math.round(mtimeMs) };
  } catch (error) {
    if (isAbsent(error)) return undefined;
    throw error;
  }
}
