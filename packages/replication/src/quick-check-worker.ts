import { DatabaseSync } from 'node:sqlite';
import { pathToFileURL } from 'node:url';
import { parentPort, workerData } from 'node:worker_threads';
import { assert } from '@tandem/base';

/** The thread in which `quickCheck` has SQLite look at a database. */
assert(parentPort !== null, 'the check runs in a worker thread');
parentPort.postMessage(complaintAbout(String(workerData)));

function complaintAbout(path: string): string | undefined {
  const url = pathToFileURL(path);
  // Nothing is made beside it, and nothing in it changes.
  url.search = 'immutable=1';
  try {
    const database = new DatabaseSync(url, { readOnly: true });
    try {
      const answer = database.prepare('PRAGMA quick_check(1)').get()?.['quick_check'];
      return answer === 'ok' ? undefined : String(answer);
    } finally {
      database.close();
    }
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
