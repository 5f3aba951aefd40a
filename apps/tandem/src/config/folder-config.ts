import { join, relative } from 'node:path';
import type { Draft } from './draft.ts';
import { subjectOf } from './given-value.ts';
import type { FolderState } from './machine.ts';
import type { SettingKey } from './settings.ts';

/** The folders that the daemon works in. */
export interface FoldersConfig {
  readonly databases: string;
  readonly state: string;
}

const STATE_NAME = '.tandem';

/** The two folders, checked to be usable; undefined after reporting that there is none. */
export function foldersOf(draft: Draft): FoldersConfig | undefined {
  const databases = draft.values['databases.folder'];
  if (databases === null) {
    if (!draft.isGiven('databases.folder') && !draft.findings.hasErrorAbout('fuse.dir')) {
      draft.findings.error(
        'config_missing',
        'databases.folder',
        'databases.folder is not given, so there is nothing to replicate.',
        'Write the folder in which the application opens its databases, in tandem.yml or as ' +
          '--set databases.folder=/data.',
      );
    }
    return undefined;
  }
  const state = draft.values['state.folder'] ?? join(databases, STATE_NAME);
  if (!draft.isGiven('state.folder')) draft.derive('state.folder', state, 'databases.folder');
  if (areApart(draft, databases, state)) {
    checkFolder(draft, 'databases.folder', databases);
    if (draft.isGiven('state.folder')) checkFolder(draft, 'state.folder', state);
    warnOfLitefsData(draft, state);
  }
  return { databases, state };
}

/** Keeps a backup from being taken for databases. */
export function refuseBackupAmongDatabases(draft: Draft, url: string, databases: string): void {
  const given = draft.given('backup.url');
  if (given === undefined || !url.startsWith('/') || !isSeenWithin(databases, url)) return;
  const message = `${subjectOf(given)} is ${url}, which lies in databases.folder.`;
  const hint = `Write a folder outside of ${databases}, on another disk if you can.`;
  draft.findings.error('config_conflict', given, message, hint);
}

function areApart(draft: Draft, databases: string, state: string): boolean {
  const subject = draft.subject('state.folder');
  const where = typeof subject === 'string' ? subject : subjectOf(subject);
  const names = keyNames(draft);
  if (databases === state) {
    draft.findings.error(
      'config_conflict',
      subject,
      `${where} is ${state}, the same as ${names.databases}.`,
      'Write another folder: the one is for the application, the other for Tandem alone.',
    );
    return false;
  }
  if (isSeenWithin(databases, state)) {
    draft.findings.error(
      'config_conflict',
      subject,
      `${where} is ${state}, which lies in ${names.databases}, so its files would count as databases.`,
      `Write a folder outside, or one that begins with a dot, such as ${join(databases, STATE_NAME)}.`,
    );
    return false;
  }
  if (isSeenWithin(state, databases) || isWithin(state, databases)) {
    draft.findings.error(
      'config_conflict',
      subject,
      `${where} is ${state}, in which ${names.databases} lies.`,
      'Write two folders of which neither lies in the other.',
    );
    return false;
  }
  return true;
}

function keyNames(draft: Draft): { readonly databases: string } {
  return { databases: draft.given('databases.folder')?.name ?? 'databases.folder' };
}

/** Whether `path` is a folder in `folder` that a search for databases would enter. */
function isSeenWithin(folder: string, path: string): boolean {
  if (folder === path) return true;
  const parts = relative(folder, path).split('/');
  return isWithin(folder, path) && !parts.some((part) => part.startsWith('.'));
}

function isWithin(folder: string, path: string): boolean {
  const way = relative(folder, path);
  return way !== '' && way !== '..' && !way.startsWith('../');
}

function checkFolder(draft: Draft, key: SettingKey, path: string): void {
  const { findings, machine } = draft;
  const subject = draft.subject(key);
  const name = typeof subject === 'string' ? subject : subjectOf(subject);
  const state = machine.inspectFolder(path);
  if (state.fault !== null) {
    const [what, hint] = explain(draft, state, path);
    findings.error('config_folder', subject, `${name} is ${path}, which ${what}.`, hint);
  } else if (state.fileSystem === 'fuse') {
    findings.warn(
      subject,
      `${name} is ${path}, which is a FUSE mount; it may be LiteFS, still running.`,
      'End LiteFS and let the folder lie on a disk of the machine.',
    );
  } else if (state.fileSystem === 'network') {
    findings.warn(
      subject,
      `${name} is ${path}, which lies on a network file system, where SQLite databases break.`,
      'Use a disk of the machine; Tandem brings the data to the other nodes.',
    );
  } else if (!state.exists) {
    findings.info(subject, `${name} is ${path}, which does not exist yet and will be made.`);
  }
}

function explain(
  draft: Draft,
  { exists, fault }: FolderState,
  path: string,
): readonly [string, string] {
  const { uid, gid } = draft.machine;
  const verb = exists ? 'written' : 'made';
  const who = uid === null ? 'this user' : `uid ${uid}, gid ${gid ?? '?'}`;
  const place = fault?.place ?? path;
  switch (fault?.kind) {
    case 'not-a-folder': {
      const what = place === path ? 'is a file' : `lies below the file ${place}`;
      return [what, 'Move the file away, or write another folder.'];
    }
    case 'read-only':
      return [
        `cannot be ${verb}: it lies on a read-only file system`,
        'Mount a writable volume there, or write another folder.',
      ];
    case 'denied': {
      const subject = place === path ? 'it' : place;
      const owner = fault.owner === '' ? '' : `: ${subject} belongs to ${fault.owner}`;
      return [
        `cannot be ${verb} by ${who}${owner}`,
        `Run 'chown ${uid ?? 'USER'}:${gid ?? 'GROUP'} ${place}' as root, or on Kubernetes set ` +
          `fsGroup: ${gid ?? 'GROUP'} in the pod's securityContext.`,
      ];
    }
    case 'other':
    case undefined:
      return [
        `cannot be ${verb} (${fault?.systemCode ?? 'unknown'})`,
        'Correct the path, or write another folder.',
      ];
  }
}

/** LiteFS kept the databases in its own folder; in the mount they only appeared. */
function warnOfLitefsData(draft: Draft, state: string): void {
  const { machine, findings } = draft;
  if (!machine.inspectFolder(join(state, 'dbs')).exists) return;
  const subject = draft.subject('state.folder');
  findings.warn(
    subject,
    `${state} holds databases of LiteFS, as dbs/NAME/database, which are not read.`,
    'Bring them over once, on the primary, as docs/guides/moving-from-litefs.md says; then remove dbs.',
  );
}
