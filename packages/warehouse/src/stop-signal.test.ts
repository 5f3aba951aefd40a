import { HttpError } from '@loggia/contract';
import { expect, test } from 'vitest';
import { StopSignal } from './stop-signal.ts';

const never = new Promise<never>(() => undefined);

test("the caller's signal ends a wait as a cancelled query", async () => {
  const controller = new AbortController();
  using stop = new StopSignal({ signal: controller.signal });
  const wait = stop.race(never);
  controller.abort();
  await expect(wait).rejects.toMatchObject({ code: 'query_cancelled' });
  await expect(stop.race(never)).rejects.toMatchObject({ code: 'query_cancelled' });
});

test('the time limit ends a wait as a timeout that says how long', async () => {
  using stop = new StopSignal({ timeoutMs: 1 });
  await expect(stop.race(never)).rejects.toMatchObject({
    code: 'query_timeout',
    message: 'The query took longer than 0.001 s.',
  });
});

test('the first reason stays', async () => {
  const controller = new AbortController();
  using stop = new StopSignal({ signal: controller.signal });
  stop.stop(new HttpError('shutting_down', 'The server is stopping.'));
  controller.abort();
  await expect(stop.race(never)).rejects.toMatchObject({ code: 'shutting_down' });
});

test('work that ends first keeps its result or its error', async () => {
  using stop = new StopSignal({ timeoutMs: 60_000 });
  expect(await stop.race(Promise.resolve(3))).toBe(3);
  await expect(stop.race(Promise.reject(new Error('no')))).rejects.toThrow('no');
});

test('after disposal nothing stops it', () => {
  const controller = new AbortController();
  const stop = new StopSignal({ signal: controller.signal });
  stop[Symbol.dispose]();
  controller.abort();
  expect(stop.signal.aborted).toBe(false);
});
