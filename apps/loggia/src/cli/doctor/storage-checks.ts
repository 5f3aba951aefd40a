import { failure, ok, warning, type Check } from './check.ts';

/** What is known of the data folder. */
export interface StorageFacts {
  readonly folder: string;
  readonly exists: boolean;
  /** Why it cannot be written, with what to do; null when it can. */
  readonly fault: { readonly message: string; readonly hint: string } | null;
  /** The system's number for the kind of file system; null when unknown. */
  readonly fileSystemType: number | null;
  readonly freeBytes: number | null;
  /** The journal's state; null when there is none yet. */
  readonly journal:
    | { readonly siteCount: number; readonly bytes: number }
    | { readonly code: string; readonly message: string; readonly hint: string | null }
    | null;
}

const FREE_BYTES_LOW = 512 * 2 ** 20;
const FREE_BYTES_MIN = 32 * 2 ** 20;

/** Numbers of `statfs(2)` for file systems shared between machines: write-ahead logs break there. */
const SHARED_FILE_SYSTEMS: ReadonlyMap<number, string> = new Map([
  [0x6969, 'NFS'],
  [0xff53_4d42, 'SMB'],
  [0xfe53_4d42, 'SMB'],
  [0x517b, 'SMB'],
  [0x0102_1997, '9p'],
  [0x00c3_6400, 'CephFS'],
]);
/** File systems whose content goes with the container or the machine's memory. */
const PASSING_FILE_SYSTEMS: ReadonlyMap<number, string> = new Map([
  [0x794c_7630, 'the layer of a container (overlay)'],
  [0x0102_1994, 'memory (tmpfs)'],
]);

/** Looks at the data folder, its file system and the journal in it. */
export function storageChecks(facts: StorageFacts): readonly Check[] {
  const checks = [folderCheck(facts), fileSystemCheck(facts), spaceCheck(facts)];
  return [...checks, journalCheck(facts)].filter((check) => check !== undefined);
}

function folderCheck({ folder, exists, fault }: StorageFacts): Check {
  if (fault !== null) return failure('data_folder', fault.message, fault.hint);
  if (exists) return ok('data_folder', `${folder} can be written.`);
  return ok('data_folder', `${folder} does not exist yet; it is made at the first start.`);
}

function fileSystemCheck({ folder, fileSystemType }: StorageFacts): Check | undefined {
  if (fileSystemType === null) return undefined;
  const shared = SHARED_FILE_SYSTEMS.get(fileSystemType);
  if (shared !== undefined) {
    return warning(
      'file_system',
      `${folder} lies on ${shared}, where SQLite databases are known to break.`,
      'Put the data folder on a disk of this machine.',
    );
  }
  const passing = PASSING_FILE_SYSTEMS.get(fileSystemType);
  if (passing !== undefined) {
    return warning(
      'file_system',
      `${folder} lies in ${passing} and goes when that goes.`,
      'Mount a volume there.',
    );
  }
  return ok('file_system', 'The file system is one of this machine.');
}

function spaceCheck({ freeBytes }: StorageFacts): Check | undefined {
  if (freeBytes === null) return undefined;
  const message = `${Math.floor(freeBytes / 2 ** 20)} MiB are free.`;
  const hint = 'Make room: without space, events are answered with 503.';
  if (freeBytes < FREE_BYTES_MIN) return failure('free_space', message, hint);
  return freeBytes < FREE_BYTES_LOW
    ? warning('free_space', message, hint)
    : ok('free_space', message);
}

function journalCheck({ journal }: StorageFacts): Check | undefined {
  if (journal === null) return ok('journal', 'There is no journal yet; the first start makes it.');
  if ('siteCount' in journal) {
    const mebibytes = Math.ceil(journal.bytes / 2 ** 20);
    return ok('journal', `The journal has ${journal.siteCount} sites and ${mebibytes} MiB.`);
  }
  const hint = journal.hint ?? 'Look into the log of the server.';
  if (journal.code === 'journal_older') return warning('journal', `${journal.message}.`, hint);
  return failure('journal', `${journal.message.replace(/\.$/, '')}.`, hint);
}
