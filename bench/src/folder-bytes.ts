import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';

/** The sizes of all files below a folder, added up. */
export function folderBytes(folder: string): number {
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .reduce((sum, entry) => sum + statSync(join(entry.parentPath, entry.name)).size, 0);
}
