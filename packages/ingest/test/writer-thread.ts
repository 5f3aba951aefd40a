import { parentPort, workerData } from 'node:worker_threads';
import { Journal } from '@loggia/journal';
import { serveWriter } from '@loggia/ingest';

if (parentPort === null) throw new Error('the writer runs in a thread');
const { folder } = workerData as { folder: string };
serveWriter(parentPort, Journal.open({ folder }));
