import type { Repository, Violation } from './repository.ts';

/** One entry of `package-lock.json`. */
export interface LockEntry {
  readonly version?: string;
  readonly resolved?: string;
  readonly integrity?: string;
  readonly link?: boolean;
  readonly license?: string;
  readonly dev?: boolean;
  readonly optional?: boolean;
}

const LOCK_FILE = 'package-lock.json';

/** The lock file's entries by path, such as `node_modules/yaml`. */
export function lockEntries(repository: Repository): Map<string, LockEntry> {
  // The file is npm's own; a wrong kind in it fails the install before any rule is asked.
  const lock = JSON.parse(repository.get(LOCK_FILE) ?? '{}') as {
    readonly packages?: Readonly<Record<string, LockEntry>>;
  };
  return new Map(Object.entries(lock.packages ?? {}));
}

/**
 * The lock file pins content, not places: it has an integrity hash for everything that is fetched
 * and no address of any server, so that it works with every mirror.
 */
export function lockViolations(repository: Repository): Violation[] {
  const violations: Violation[] = [];
  const say = (message: string): void => void violations.push({ path: LOCK_FILE, message });
  const entries = lockEntries(repository);
  if (entries.size === 0) say('the lock file has no entries');
  for (const [path, entry] of entries) {
    if (!path.includes('node_modules/')) continue;
    if (entry.link === true) {
      if (/^[a-z+]+:/i.test(entry.resolved ?? '')) say(`${path} links to an address`);
      continue;
    }
    if (entry.resolved !== undefined) say(`${path} names the address it was fetched from`);
    if (entry.integrity === undefined) say(`${path} has no integrity hash`);
  }
  return violations;
}
