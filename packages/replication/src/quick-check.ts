import { once } from 'node:events';
import { Worker } from 'node:worker_threads';

/**
 * What SQLite finds wrong with a database that nobody has open, the first complaint. It reads all of
 * it, in a thread of its own.
 */
export async function quickCheck(path: string): Promise<string | undefined> {
  const worker = new Worker(new URL('quick-check-worker.ts', import.meta.url), {
    workerData: path,
  });
  // It rejects when the thread ends with an error instead.
  const [complaint]: unknown[] = await once(worker, 'message');
  return typeof complaint === 'string' ? complaint : undefined;
}
