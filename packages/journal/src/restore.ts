import {
  chownSync,
  constants,
  copyFileSync,
  existsSync,
  mkdirSync,
  renameSync,
  rmSync,
  statSync,
} from 'node:fs';
import { basename, join } from 'node:path';
import { integerOf } from './cell.ts';
import { Connection, type ConnectionOptions } from './connection.ts';
import { copyDatabase, hasLog, inspectCopy, type CopyFacts } from './database-copy.ts';
import { fileFailureOf } from './file-failure.ts';
import { JournalError } from './journal-error.ts';
import { COMPANIONS, freeQuarantineName } from './quarantine.ts';
import { readRestorePlan, removeRestorePlan, writeRestorePlan } from './restore-plan.ts';
import { renameSynced, syncPath } from './synced-files.ts';
import { isDatabase, isInUse } from './use-probe.ts';

export interface RestoreOptions {
  /** The backup: a journal that nobody writes to. */
  readonly source: string;
  /** An existing data folder. */
  readonly folder: string;
  /** Whether a journal that is there may be set aside. */
  readonly isReplacing: boolean;
  /** Called after each step with its name; tests end the process there. */
  readonly onStep?: (step: string) => void;
}

/** What a restore did. */
export interface Restored {
  readonly facts: CopyFacts;
  /** Where the journal is that was there before, if there was one. */
  readonly asidePath: string | undefined;
}

const NAME = 'journal.db';
/** The backup's copy in the data folder, before it becomes the journal. */
const STAGED_NAME = 'journal.db.restoring';

/**
 * Puts a backup in the place of a data folder's journal.
 *
 * V2. Nothing of the folder's own data is deleted; it is set aside whole, with its log.
 * V3. From the first change of the folder to the last nobody else opens its journal.
 * V4. Cut off anywhere, it can be called again, with the same backup or another one.
 *
 * @throws JournalError `journal_unreadable`, `journal_newer`, `journal_exists` or `journal_in_use`,
 *   all before anything of the folder's data is touched; `journal_failed`, `journal_full`.
 */
export function restoreBackup(options: RestoreOptions): Restored {
  try {
    return restore(options, options.onStep ?? (() => undefined));
  } catch (error) {
    throw fileFailureOf(error, options.folder);
  }
}

function restore(options: RestoreOptions, onStep: (step: string) => void): Restored {
  const { folder, source } = options;
  refuseMissing(source);
  if (!hasLog(source)) inspectCopy(source);
  onStep('backup read');
  finishEarlier(folder, onStep);
  refuseToReplace(options);
  refuseUse(folder);
  const facts = stage(source, folder, onStep);
  const aside = hasJournal(folder) ? freeQuarantineName(folder, NAME) : undefined;
  const earlierAside = readRestorePlan(folder)?.aside ?? null;
  writeRestorePlan(folder, { aside: aside ?? earlierAside });
  onStep('plan written');
  if (aside !== undefined) {
    refuseUseOfPlanned(folder);
    setJournalAside(folder, aside, onStep);
  }
  putInPlace(folder);
  onStep('put in place');
  removeRestorePlan(folder);
  onStep('done');
  const asideName = aside ?? earlierAside;
  const asidePath = asideName === null ? undefined : join(folder, 'quarantine', asideName);
  return { facts, asidePath };
}

function refuseMissing(source: string): void {
  if (existsSync(source)) return;
  throw new JournalError('journal_missing', `There is no file ${source}`, {
    hint: "Name a file that 'loggia backup' wrote.",
  });
}

/** Brings a folder that an earlier call left half-way to where a new call can begin. */
function finishEarlier(folder: string, onStep: (step: string) => void): void {
  const plan = readRestorePlan(folder);
  if (plan === undefined) return;
  const hasMoved = plan.aside !== null && existsSync(join(folder, 'quarantine', plan.aside));
  if (existsSync(join(folder, NAME))) {
    // Nothing was moved yet, or all is done.
    removeRestorePlan(folder);
  } else if (plan.aside !== null && hasMoved) {
    setJournalAside(folder, plan.aside, onStep);
  }
}

function refuseToReplace({ folder, isReplacing }: RestoreOptions): void {
  if (isReplacing || !hasJournal(folder)) return;
  throw new JournalError('journal_exists', `There is a journal in ${folder} already`, {
    hint: 'With --force it is set aside under quarantine/ and replaced.',
  });
}

/** Whether the folder holds data: a database, or a log that lost its database. */
function hasJournal(folder: string): boolean {
  const path = join(folder, NAME);
  return (statSync(path, { throwIfNoEntry: false })?.size ?? 0) > 0 || hasLog(path);
}

function refuseUse(folder: string): void {
  if (!isInUse(join(folder, NAME))) return;
  throw new JournalError('journal_in_use', `A server or a command is using ${folder}`, {
    hint: 'Stop the server, then restore. Nothing was changed.',
  });
}

/** From here on nobody opens the folder; whoever did before has a lock by now. */
function refuseUseOfPlanned(folder: string): void {
  try {
    refuseUse(folder);
  } catch (error) {
    removeRestorePlan(folder);
    throw error;
  }
}

/** A copy of the backup in the folder, read again, with an epoch that no follower has seen. */
function stage(source: string, folder: string, onStep: (step: string) => void): CopyFacts {
  const staged = join(folder, STAGED_NAME);
  for (const companion of ['', ...COMPANIONS]) rmSync(staged + companion, { force: true });
  if (hasLog(source)) copyDatabase(source, staged);
  else copyFileSync(source, staged, constants.COPYFILE_FICLONE);
  onStep('backup copied');
  raiseEpoch(staged, epochOf(join(folder, NAME)));
  giveToOwner(staged, folder);
  syncPath(staged);
  syncPath(folder);
  const facts = inspectCopy(staged);
  onStep('copy read');
  return facts;
}

/** 0 when there is no journal or it cannot be read. */
function epochOf(path: string): number {
  if (!isDatabase(path)) return 0;
  try {
    return withConnection({ path, readOnly: true }, readEpoch);
  } catch {
    return 0;
  }
}

/** Whoever follows the journal by its numbers must read everything anew. */
function raiseEpoch(path: string, above: number): void {
  withConnection({ path, readOnly: false }, (connection) => {
    // The copy of a server's own file would go on to have a log beside it.
    connection.execute('PRAGMA journal_mode = DELETE');
    const epoch = Math.max(above, readEpoch(connection)) + 1;
    connection.query("UPDATE counter SET value = ? WHERE name = 'epoch'").run(epoch);
  });
}

function readEpoch(connection: Connection): number {
  return integerOf(connection.query("SELECT value FROM counter WHERE name = 'epoch'").get()?.[0]);
}

function withConnection<Result>(
  options: ConnectionOptions,
  run: (connection: Connection) => Result,
): Result {
  const connection = new Connection(options);
  try {
    return run(connection);
  } finally {
    connection.close();
  }
}

function putInPlace(folder: string): void {
  // Someone who looked for a plan before there was one may have begun a journal.
  if (hasJournal(folder)) {
    throw new JournalError('journal_in_use', `Another process began a journal in ${folder}`, {
      hint: 'Restore again with --force; that journal is then set aside.',
    });
  }
  renameSynced(join(folder, STAGED_NAME), join(folder, NAME));
}

/** What root restores must be the server's, who may be another user. */
function giveToOwner(path: string, folder: string): void {
  if (process.geteuid?.() !== 0) return;
  const { uid, gid } = statSync(folder);
  chownSync(path, uid, gid);
}

/**
 * The database goes first: a log without a database is refused by everyone who opens the folder,
 * while a database without its log would be taken for whole.
 */
function setJournalAside(folder: string, name: string, onStep: (step: string) => void): void {
  const quarantine = join(folder, 'quarantine');
  mkdirSync(quarantine, { recursive: true });
  for (const companion of ['', ...COMPANIONS]) {
    const from = join(folder, NAME + companion);
    if (!existsSync(from)) continue;
    renameSync(from, join(quarantine, name + companion));
    syncPath(quarantine);
    syncPath(folder);
    onStep(`set aside ${basename(from)}`);
  }
}
