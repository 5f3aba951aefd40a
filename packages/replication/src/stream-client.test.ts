import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ModelClock, MODEL_SETTINGS, modelIdentity } from '../test/stream-model.ts';
import { backOffMs, STREAM_BACK_OFF, StreamClient } from './stream-client.ts';
import type { StreamReplica } from './stream-source.ts';

test('the first attempt comes at once', () => {
  expect(backOffMs(0, STREAM_BACK_OFF, 0.9)).toBe(0);
});

test.each([
  [1, 100],
  [2, 200],
  [5, 1600],
  [8, 10_000],
  [5000, 10_000],
])('after %i failures the pause is %i ms, or down to half of it', (failures, fullMs) => {
  expect(backOffMs(failures, STREAM_BACK_OFF, 0)).toBe(fullMs);
  expect(backOffMs(failures, STREAM_BACK_OFF, 0.5)).toBe(fullMs * 0.75);
});

test('a pause is never longer than the longest nor shorter than half the shortest', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1 }),
      fc.double({ min: 0, max: 1, noNaN: true }),
      (failures, random) => {
        const pauseMs = backOffMs(failures, STREAM_BACK_OFF, random);
        expect(pauseMs).toBeLessThanOrEqual(STREAM_BACK_OFF.maxMs);
        expect(pauseMs).toBeGreaterThanOrEqual(STREAM_BACK_OFF.minMs / 2);
      },
    ),
  );
});

/** A client whose target is asked for and found to be none. */
function startIdle(clock: ModelClock): {
  readonly asked: () => number;
  readonly client: StreamClient;
  readonly stop: () => Promise<void>;
} {
  let asked = 0;
  const abort = new AbortController();
  const replica: StreamReplica = {
    identity: modelIdentity('n2'),
    clusterId: () => undefined,
    highestEpoch: () => 0,
    databases: () => [],
    open: () => {
      throw new Error('there is nothing to open');
    },
    drop: () => {},
    welcomed: () => {},
    membersChanged: () => {},
    ready: () => {},
    handOff: () => {},
  };
  const client = new StreamClient({
    replica,
    target: () => {
      asked += 1;
      return undefined;
    },
    clock,
    settings: MODEL_SETTINGS,
    backOff: STREAM_BACK_OFF,
    random: () => 0,
  });
  const running = client.run(abort.signal);
  return {
    asked: () => asked,
    client,
    stop: async () => {
      abort.abort();
      await running;
    },
  };
}

test('while no primary is known the client is idle and asks now and then', async () => {
  const clock = new ModelClock();
  const { asked, client, stop } = startIdle(clock);
  const before = asked();
  expect(client.state).toBe('idle');
  expect(client.lags().size).toBe(0);
  clock.advance(STREAM_BACK_OFF.maxMs - 1);
  await Promise.resolve();
  expect(asked()).toBe(before);
  clock.advance(1);
  for (let turn = 0; turn < 5; turn += 1) await Promise.resolve();
  expect(asked()).toBeGreaterThan(before);
  await stop();
  expect(clock.pending).toBe(0);
});
