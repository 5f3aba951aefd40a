import { parentPort, workerData } from 'node:worker_threads';
import { assert } from '@tandem/base';
import { JournalError, writeBackup, type CopyFacts, type JournalErrorCode } from '@loggia/journal';

/** What the main thread tells the thread that writes a backup. */
export interface BackupThreadData {
  /** The data folder. */
  readonly folder: string;
  /** The file to be written. */
  readonly target: string;
}

/** What that thread answers: `copied` on the way, then one of the others. */
export type BackupThreadMessage =
  | { readonly kind: 'copied' }
  | { readonly kind: 'done'; readonly facts: CopyFacts }
  | {
      readonly kind: 'failed';
      readonly code: JournalErrorCode;
      readonly message: string;
      readonly hint: string | undefined;
    };

assert(parentPort !== null, 'a backup is written in a thread');
const port = parentPort;

function tell(message: BackupThreadMessage): void {
  port.postMessage(message);
}

try {
  const facts = writeBackup(workerData as BackupThreadData, () => tell({ kind: 'copied' }));
  tell({ kind: 'done', facts });
} catch (error) {
  // Of an error, only what it says crosses threads.
  if (!(error instanceof JournalError)) throw error;
  const { code, message, hint } = error;
  tell({ kind: 'failed', code, message, hint });
}
