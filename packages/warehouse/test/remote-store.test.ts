import { Worker } from 'node:worker_threads';
import { expect, onTestFinished, test } from 'vitest';
import { RemoteStore, STORE_RESOURCE_LIMITS, type WarehouseError } from '../src/index.ts';
import { ENDLESS } from './open-store.ts';

interface ThreadData {
  events: number;
  fault?: 'open' | 'query';
}

const COUNT = { sql: 'SELECT count(*) FROM event', parameters: [] };

function open(data: ThreadData, onCrash?: (error: WarehouseError) => void): RemoteStore {
  const spawn = (): Worker =>
    new Worker(new URL('store-thread.ts', import.meta.url), {
      workerData: { ...data },
      resourceLimits: STORE_RESOURCE_LIMITS,
      stderr: true,
    });
  const store = new RemoteStore(onCrash === undefined ? { spawn } : { spawn, onCrash });
  onTestFinished(() => store.close());
  return store;
}

test('queries, status and follow cross the thread', async () => {
  const store = open({ events: 12 });
  await store.follow();
  const statement = {
    sql: 'SELECT ? + count(*) AS n, ? AS none FROM event',
    parameters: [5n, null],
  };
  expect(await store.query(statement)).toEqual({ columns: ['n', 'none'], rows: [[17, null]] });
  expect(await store.status()).toMatchObject({ events: 12, ready: true });
});

test('errors keep their class, code and hint (W12)', async () => {
  const store = open({ events: 1 });
  const tooMany = store.query({ sql: 'SELECT * FROM range(5000)', parameters: [] });
  await expect(tooMany).rejects.toMatchObject({
    name: 'HttpError',
    code: 'query_too_large',
    status: 503,
    hint: expect.stringContaining('page'),
  });
  const wrong = store.query({ sql: 'DROP TABLE event', parameters: [] });
  await expect(wrong).rejects.toMatchObject({ name: 'WarehouseError', code: 'bad_statement' });
  await expect(store.query(ENDLESS, { timeoutMs: 10 })).rejects.toMatchObject({
    code: 'query_timeout',
    retryable: true,
  });
});

test('a cancelled query is interrupted in its thread and makes room (W8)', async () => {
  const store = open({ events: 1 });
  for (let round = 0; round < 3; round += 1) {
    const controller = new AbortController();
    const answer = store.query(ENDLESS, { signal: controller.signal });
    // Once the status is known, the request before it has been received.
    await store.status();
    controller.abort();
    await expect(answer).rejects.toMatchObject({ name: 'HttpError', code: 'query_cancelled' });
  }
  const aborted = store.query(COUNT, { signal: AbortSignal.abort() });
  await expect(aborted).rejects.toMatchObject({ code: 'query_cancelled' });
  // The store runs one query at a time: this one waits until the engine has let go of the others.
  expect((await store.query(COUNT)).rows).toEqual([[1]]);
});

test('a thread that breaks rejects what is pending, and a restart serves again (W12)', async () => {
  const crash = Promise.withResolvers<WarehouseError>();
  const store = open({ events: 3, fault: 'query' }, crash.resolve);
  const answers = [store.query(ENDLESS), store.query(COUNT), store.follow()];
  for (const answer of await Promise.allSettled(answers)) {
    if (answer.status === 'rejected') {
      expect(answer.reason).toMatchObject({ code: 'worker_stopped', retryable: true });
    }
  }
  await expect(answers[0]).rejects.toMatchObject({ code: 'worker_stopped' });
  expect(await crash.promise).toMatchObject({
    code: 'worker_stopped',
    cause: expect.objectContaining({ message: 'the thread breaks' }),
  });
  await expect(store.status()).rejects.toMatchObject({ code: 'worker_stopped' });
  store.restart();
  await store.follow();
  expect(await store.status()).toMatchObject({ events: 3 });
});

test('a thread that cannot start says why (W12)', async () => {
  const crash = Promise.withResolvers<WarehouseError>();
  const store = open({ events: 0, fault: 'open' }, crash.resolve);
  await expect(store.status()).rejects.toMatchObject({
    code: 'worker_stopped',
    cause: expect.objectContaining({ message: 'the journal is gone' }),
  });
  expect((await crash.promise).code).toBe('worker_stopped');
});

test('closing ends the thread and what it was doing; no crash is reported (W10)', async () => {
  const crashes: WarehouseError[] = [];
  const store = open({ events: 10 }, (error) => crashes.push(error));
  await store.follow();
  const answer = store.query(ENDLESS);
  const closing = store.close();
  await expect(answer).rejects.toMatchObject({ code: 'shutting_down' });
  await closing;
  await expect(store.query(COUNT)).rejects.toMatchObject({ code: 'store_closed' });
  store.restart();
  await expect(store.follow()).rejects.toMatchObject({ code: 'store_closed' });
  expect(crashes).toEqual([]);
});
