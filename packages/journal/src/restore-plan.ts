import { closeSync, fsyncSync, openSync, readFileSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { JournalError } from './journal-error.ts';
import { renameSynced, syncPath } from './synced-files.ts';

/**
 * What a restore is about to do, in a file that is there as long as the folder is between two
 * states. Nobody opens the journal of such a folder (V3).
 */
export interface RestorePlan {
  /** The name under `quarantine/` that the replaced journal gets; null when there was none. */
  readonly aside: string | null;
}

const FILE_NAME = 'restore.json';

/** The plan of a restore that was cut off, or undefined. */
export function readRestorePlan(folder: string): RestorePlan | undefined {
  let text: string;
  try {
    text = readFileSync(join(folder, FILE_NAME), 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
  const { aside } = JSON.parse(text) as { readonly aside?: unknown };
  return { aside: typeof aside === 'string' ? aside : null };
}

/** Returns when the plan would survive a power cut. */
export function writeRestorePlan(folder: string, plan: RestorePlan): void {
  const partial = join(folder, `${FILE_NAME}.partial`);
  const file = openSync(partial, 'w');
  try {
    writeSync(file, `${JSON.stringify(plan)}\n`);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
  renameSynced(partial, join(folder, FILE_NAME));
}

/** Opens the folder to everybody again. */
export function removeRestorePlan(folder: string): void {
  rmSync(join(folder, FILE_NAME), { force: true });
  syncPath(folder);
}

/** @throws JournalError `journal_restoring` when a restore is under way or was cut off. */
export function refuseUnfinishedRestore(folder: string): void {
  if (readRestorePlan(folder) === undefined) return;
  throw new JournalError(
    'journal_restoring',
    `A restore into ${folder} is under way or was cut off`,
    { hint: "Wait for it, or run the same 'loggia restore' again; it goes on where it was." },
  );
}
