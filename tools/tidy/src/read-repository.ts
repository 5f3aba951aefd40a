import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Repository } from './repository.ts';

const FOLDERS_SKIPPED = new Set([
  'node_modules',
  '.git',
  'dist',
  'coverage',
  'testdata',
  'results',
]);
/** Folders of a running server at the root; `.gitignore` names the same. */
const ROOT_FOLDERS_SKIPPED = new Set(['data', 'cache']);
const TEXT_FILE = /\.(?:ts|tsx|mts|js|mjs|json|md|yml|yaml|css|html|sql|sh|svg|txt)$/;
const TEXT_NAMES = new Set(['LICENSE', 'run', '.gitignore', '.npmrc']);

/**
 * Reads the text files below `root`. Files of other kinds are there with empty content, so that
 * links to them and their names can be checked.
 */
export function readRepository(root: string): Repository {
  const files = new Map<string, string>();
  collect(root, '', files);
  return files;
}

function collect(root: string, folder: string, files: Map<string, string>): void {
  for (const entry of readdirSync(join(root, folder), { withFileTypes: true })) {
    const path = folder === '' ? entry.name : `${folder}/${entry.name}`;
    if (entry.isDirectory()) {
      const skipped =
        FOLDERS_SKIPPED.has(entry.name) || (folder === '' && ROOT_FOLDERS_SKIPPED.has(entry.name));
      if (!skipped) collect(root, path, files);
    } else if (entry.isFile()) {
      const isText = TEXT_FILE.test(entry.name) || TEXT_NAMES.has(entry.name);
      files.set(path, isText ? readFileSync(join(root, path), 'utf8') : '');
    }
  }
}
