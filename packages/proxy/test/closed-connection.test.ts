import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { expect, onTestFinished, test } from 'vitest';
import { PROXY_DEFAULTS } from '../src/proxy-options.ts';
import { startApp, startProxy } from './node-fixture.ts';

const STILL = 1;

test.each(['its application', 'the primary'])(
  'a write that comes while the proxy stands still, before %s closes its idle connection, is made once',
  async (whose) => {
    const steps = new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT);
    const step = new Int32Array(steps);
    const worker = new Worker(new URL('closing-server.ts', import.meta.url), {
      workerData: { steps },
    });
    onTestFinished(async () => void (await worker.terminate()));
    const [serverPort] = (await once(worker, 'message')) as [number];
    const serverUrl = `http://127.0.0.1:${serverPort}`;
    const other = await startApp((_request, response) => response.writeHead(500).end('wrong'));
    const isLocal = whose === 'its application';
    // Long enough for the connection to be there still.
    const idle = { idleUpstreamMs: 60_000 };
    const { state, port } = await startProxy(isLocal ? serverUrl : other.url, idle);
    state.become(isLocal ? 'primary' : 'replica', serverUrl);
    worker.postMessage(port);
    expect(await once(worker, 'message')).toEqual(['idle']);
    Atomics.store(step, 0, STILL);
    Atomics.notify(step, 0);
    Atomics.wait(step, 0, STILL);
    const [{ answer, received }] = await once(worker, 'message');
    expect(answer).toContain('200 OK');
    expect(received).toEqual(['/first', '/second']);
  },
);

test('a connection between proxies is not kept for as long as a closing proxy goes on answering', () => {
  expect(PROXY_DEFAULTS.idleUpstreamMs).toBeLessThan(PROXY_DEFAULTS.closeLingerMs);
});
