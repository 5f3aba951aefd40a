/** The entry of a thread that serves a store over a journal in memory; `message` steers it. */
import { parentPort, workerData } from 'node:worker_threads';
import { assert } from '@tandem/base';
import { serveStore } from '../src/index.ts';
import { MemoryTail } from './memory-tail.ts';
import { openStore } from './open-store.ts';

assert(parentPort !== null, 'this is the entry of a thread');
const { events, fault } = workerData as { events: number; fault: 'open' | 'query' | undefined };
if (fault === 'open') throw new Error('the journal is gone');

const tail = new MemoryTail();
tail.commit({ events: Array.from({ length: events }, () => ({})) });
serveStore(parentPort, await openStore(tail, { queries: { runningMax: 1, rowsMax: 1000 } }));
if (fault === 'query') {
  // Outside any call, where no caller could be told.
  parentPort.on('message', (request: { kind: string }) => {
    if (request.kind === 'query') {
      setImmediate(() => {
        throw new Error('the thread breaks');
      });
    }
  });
}
