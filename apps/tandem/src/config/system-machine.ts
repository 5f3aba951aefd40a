import { accessSync, constants, readFileSync, statfsSync, statSync, type Stats } from 'node:fs';
import { homedir, hostname } from 'node:os';
import { delimiter, dirname, resolve } from 'node:path';
import type { FolderFault, FolderState, Finding, Machine } from './machine.ts';

/** Numbers that Linux gives file systems: NFS, SMB and CIFS, 9P, Ceph, AFS. */
const NETWORK_TYPES = new Set([
  0x6969, 0x517b, 0xff534d42, 0xfe534d42, 0x01021997, 0x00c36400, 0x5346414f,
]);
const FUSE_TYPE = 0x65735546;
const TEXT_BYTES_MAX = 1_048_576;

/** The machine that this process runs on. */
export function systemMachine(cwd: string = process.cwd()): Machine {
  return {
    hostName: hostname(),
    homeFolder: tryHome(),
    cwd,
    uid: process.geteuid?.() ?? null,
    gid: process.getegid?.() ?? null,
    inspectFolder,
    readText,
    findProgram: (word, searchPath) => findProgram(word, searchPath, cwd),
  };
}

function tryHome(): string | null {
  try {
    return homedir();
  } catch {
    // A uid without an entry in the list of users has none.
    return null;
  }
}

function inspectFolder(path: string): FolderState {
  const nearest = nearestExisting(path);
  const exists = nearest.place === path;
  const { place, stats } = nearest;
  if (stats === undefined)
    return { exists, fault: faultAt(nearest, 'ENOENT'), fileSystem: 'local' };
  if (!stats.isDirectory()) {
    return { exists, fault: faultAt(nearest, 'ENOTDIR'), fileSystem: 'local' };
  }
  const systemCode = accessCode(place, constants.W_OK | constants.X_OK);
  const fault = systemCode === undefined ? null : faultAt(nearest, systemCode);
  return { exists, fault, fileSystem: fileSystemOf(place) };
}

interface Place {
  readonly place: string;
  readonly stats: Stats | undefined;
}

/** The path itself or the nearest above it that exists. */
function nearestExisting(path: string): Place {
  for (let place = path; ; place = dirname(place)) {
    const stats = tryStat(place);
    if (stats !== undefined || place === dirname(place)) return { place, stats };
  }
}

function faultAt({ place, stats }: Place, systemCode: string): FolderFault {
  const mode = ((stats?.mode ?? 0) & 0o7777).toString(8);
  const owner = stats === undefined ? '' : `uid ${stats.uid}, gid ${stats.gid} with mode 0${mode}`;
  return { kind: FAULT_KINDS[systemCode] ?? 'other', place, owner, systemCode };
}

const FAULT_KINDS: Readonly<Record<string, FolderFault['kind']>> = {
  ENOTDIR: 'not-a-folder',
  EROFS: 'read-only',
  EACCES: 'denied',
  EPERM: 'denied',
};

function fileSystemOf(place: string): FolderState['fileSystem'] {
  try {
    const { type } = statfsSync(place);
    if (type === FUSE_TYPE) return 'fuse';
    return process.platform === 'linux' && NETWORK_TYPES.has(type) ? 'network' : 'local';
  } catch {
    return 'local';
  }
}

function readText(path: string): Finding<string> {
  const stats = tryStat(path);
  if (stats === undefined) return { problem: 'does not exist' };
  if (stats.isDirectory()) return { problem: 'is a folder, not a file' };
  if (stats.size > TEXT_BYTES_MAX) return { problem: 'is larger than 1 MiB' };
  try {
    return { value: readFileSync(path, 'utf8') };
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? 'unknown';
    if (code === 'EACCES') return { problem: 'may not be read by this user' };
    return { problem: `cannot be read (${code})` };
  }
}

function findProgram(word: string, searchPath: string, cwd: string): Finding<string> {
  if (word.includes('/')) {
    const path = resolve(cwd, word);
    const problem = programProblem(path);
    return problem === undefined ? { value: path } : { problem };
  }
  let problem: string | undefined;
  for (const folder of searchPath.split(delimiter)) {
    // As in a shell, an empty part is the current folder.
    const path = resolve(cwd, folder, word);
    const found = programProblem(path);
    if (found === undefined) return { value: path };
    if (found !== NOWHERE) problem ??= `${found} (${path})`;
  }
  return { problem: problem ?? `is in none of the folders of PATH (${searchPath})` };
}

const NOWHERE = 'does not exist';

function programProblem(path: string): string | undefined {
  const stats = tryStat(path);
  if (stats === undefined) return NOWHERE;
  if (!stats.isFile()) return 'is no file';
  const code = accessCode(path, constants.X_OK);
  if (code === undefined) return undefined;
  return code === 'EACCES' ? "may not be run: 'chmod +x' is missing" : `may not be run (${code})`;
}

function accessCode(path: string, mode: number): string | undefined {
  try {
    accessSync(path, mode);
    return undefined;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code ?? 'unknown';
  }
}

function tryStat(path: string): Stats | undefined {
  try {
    return statSync(path, { throwIfNoEntry: false });
  } catch {
    return undefined;
  }
}
