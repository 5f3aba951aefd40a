import { parentPort } from 'node:worker_threads';

// A writer that is ready and ends at its first request without an answer.
parentPort?.on('message', () => process.exit(1));
parentPort?.postMessage({ kind: 'ready' });
