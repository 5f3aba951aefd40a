import {
  accessSync,
  closeSync,
  constants,
  mkdirSync,
  openSync,
  readdirSync,
  rmSync,
  statSync,
  type Stats,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { ConfigError } from './config-error.ts';

/** What stands in the way of writing to a folder, as far as the system tells. */
export interface DataFolderFault {
  readonly folder: string;
  readonly action: 'create' | 'write';
  /** The system's code: EACCES, EROFS, ENOTDIR … */
  readonly systemCode: string;
  /** The user and the group of this process; null where the system has none. */
  readonly uid: number | null;
  readonly gid: number | null;
  /** The folder itself or, when it does not exist, the nearest folder above it that does. */
  readonly nearest: {
    readonly folder: string;
    readonly ownerUid: number;
    readonly ownerGid: number;
    /** Permission bits, such as 0o755. */
    readonly mode: number;
    readonly isFolder: boolean;
  } | null;
}

/** What a server that ran as another user may have left; SQLite would open it and write nothing. */
const FILES = ['journal.db', 'journal.db-wal', 'journal.db-shm', 'salts.db', 'salts.db-journal'];

/** What a probe makes and takes away; its process may die in between. */
const PROBE = /^\.write-test-\d+$/;

/**
 * Makes the data folder if it is missing and proves that files can be made in it, by making one and
 * taking it away (also those of processes that died before they could), and that the files which are there already may be read and written. A full disk
 * is no fault: the server starts and answers 503 until there is space.
 *
 * @throws ConfigError `data_folder` that says who may not do what, and what to do about it.
 */
export function ensureDataFolder(folder: string): void {
  attempt('create', folder, () => makeFolders(folder));
  attempt('write', folder, () => probe(folder));
  attempt('write', folder, () => removeProbes(folder));
  refuseForeignFile(folder);
}

/**
 * What `ensureDataFolder` would throw, as far as can be told without making any folder; undefined
 * when all seems well.
 */
export function tryDataFolder(folder: string): ConfigError | undefined {
  const isThere = tryStat(folder) !== undefined;
  const place = isThere ? folder : nearestExisting(folder)?.folder;
  try {
    if (place !== undefined) attempt(isThere ? 'write' : 'create', folder, () => probe(place));
    if (isThere) refuseForeignFile(folder);
    return undefined;
  } catch (error) {
    if (error instanceof ConfigError) return error;
    throw error;
  }
}

/** The one sentence about a fault, with the remedy as its hint. */
export function dataFolderError(fault: DataFolderFault, cause?: unknown): ConfigError {
  const [what, hint] = explain(fault);
  return new ConfigError('data_folder', `The data folder ${fault.folder} ${what}.`, {
    hint,
    cause,
  });
}

const ELSEWHERE = 'choose another folder with --data-dir or LOGGIA_DATA_DIR';

function explain(fault: DataFolderFault): readonly [string, string] {
  const { folder, nearest, systemCode } = fault;
  const verb = fault.action === 'create' ? 'created' : 'written';
  if (nearest !== null && !nearest.isFolder) {
    const place = nearest.folder === folder ? 'is a file' : `lies below the file ${nearest.folder}`;
    return [`${place}, not a folder`, `Move the file away, or ${ELSEWHERE}.`];
  }
  if (systemCode === 'EROFS') {
    return [
      `cannot be ${verb}: it lies on a read-only file system`,
      `Mount a writable volume there, or ${ELSEWHERE}.`,
    ];
  }
  if (systemCode !== 'EACCES' && systemCode !== 'EPERM') {
    return [`cannot be ${verb} (${systemCode})`, `Correct the path, or ${ELSEWHERE}.`];
  }
  const who = fault.uid === null ? 'this user' : `uid ${fault.uid}, gid ${fault.gid ?? '?'}`;
  if (nearest === null) return [`cannot be ${verb} by ${who}`, `Give it rights, or ${ELSEWHERE}.`];
  const owner = `uid ${nearest.ownerUid}, gid ${nearest.ownerGid}`;
  const subject = nearest.folder === folder ? 'it' : nearest.folder;
  return [
    `cannot be ${verb} by ${who}: ${subject} belongs to ${owner} with mode ${octal(nearest.mode)}`,
    `Run 'chown ${fault.uid ?? 'USER'}:${fault.gid ?? 'GROUP'} ${nearest.folder}' as root, set ` +
      `fsGroup: ${fault.gid ?? 'GROUP'} in the pod's securityContext on Kubernetes, or ${ELSEWHERE}.`,
  ];
}

/**
 * Makes the folder and those above it, one by one. Node's own recursive way reports ENOENT for a
 * read-only file system and never ends below /proc (seen in 24.21).
 */
function makeFolders(folder: string): void {
  const missing: string[] = [];
  for (let current = folder; tryStat(current) === undefined; current = dirname(current)) {
    missing.push(current);
    if (current === dirname(current)) break;
  }
  for (const path of missing.reverse()) {
    try {
      mkdirSync(path, 0o750);
    } catch (error) {
      // Another process may start at the same time.
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
  }
}

function probe(folder: string): void {
  const path = join(folder, `.write-test-${process.pid}`);
  closeSync(openSync(path, 'w', 0o600));
  rmSync(path, { force: true });
}

/**
 * To a process that probes at this moment it is no harm: it has made its file, and that is all. What
 * this user may not list or remove (a sticky folder's file of another user) stays: it is only litter.
 */
function removeProbes(folder: string): void {
  try {
    for (const name of readdirSync(folder)) {
      if (PROBE.test(name)) rmSync(join(folder, name), { force: true });
    }
  } catch (error) {
    const systemCode = (error as NodeJS.ErrnoException).code ?? '';
    if (!['EACCES', 'EPERM'].includes(systemCode)) throw error;
  }
}

/** Refuses a file of an earlier run that this user may not read and write. */
function refuseForeignFile(folder: string): void {
  for (const name of FILES) {
    const path = join(folder, name);
    try {
      accessSync(path, constants.R_OK | constants.W_OK);
    } catch (error) {
      // What is not there, or goes while we look, is no obstacle.
      const stats = tryStat(path);
      if (stats !== undefined) throw foreignFileError(path, stats, error);
    }
  }
}

function foreignFileError(path: string, stats: Stats, cause: unknown): ConfigError {
  const systemCode = (cause as NodeJS.ErrnoException).code ?? 'unknown';
  const uid = process.geteuid?.() ?? null;
  const gid = process.getegid?.() ?? null;
  const owner = `uid ${stats.uid}, gid ${stats.gid} with mode ${octal(stats.mode & 0o7777)}`;
  return new ConfigError(
    'data_folder',
    `${path} cannot be written by uid ${uid ?? '?'}, gid ${gid ?? '?'} (${systemCode}): it ` +
      `belongs to ${owner}.`,
    {
      hint:
        `Run 'chown -R ${uid ?? 'USER'}:${gid ?? 'GROUP'} ${dirname(path)}' as root, or start ` +
        `as the user that made the file.`,
      cause,
    },
  );
}

function attempt(action: DataFolderFault['action'], folder: string, run: () => void): void {
  try {
    run();
  } catch (error) {
    const systemCode = (error as NodeJS.ErrnoException).code ?? 'unknown';
    if (action === 'write' && (systemCode === 'ENOSPC' || systemCode === 'EDQUOT')) return;
    const uid = process.geteuid?.() ?? null;
    const gid = process.getegid?.() ?? null;
    const nearest = nearestExisting(folder);
    throw dataFolderError({ folder, action, systemCode, uid, gid, nearest }, error);
  }
}

function nearestExisting(folder: string): DataFolderFault['nearest'] {
  for (let current = folder; ; current = dirname(current)) {
    const stats = tryStat(current);
    if (stats !== undefined) {
      return {
        folder: current,
        ownerUid: stats.uid,
        ownerGid: stats.gid,
        mode: stats.mode & 0o7777,
        isFolder: stats.isDirectory(),
      };
    }
    if (current === dirname(current)) return null;
  }
}

function tryStat(path: string): Stats | undefined {
  try {
    return statSync(path);
  } catch {
    return undefined;
  }
}

function octal(mode: number): string {
  return `0${mode.toString(8)}`;
}
