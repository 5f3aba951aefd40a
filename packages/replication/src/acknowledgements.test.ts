import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ModelClock } from '../test/stream-model.ts';
import { Acknowledgements, type AcknowledgementPolicy } from './acknowledgements.ts';

const ONE: AcknowledgementPolicy = { mode: 'one', timeoutMs: 1000, onTimeout: 'degrade' };
const MAJORITY: AcknowledgementPolicy = { ...ONE, mode: 'majority' };
const BLOCKING: AcknowledgementPolicy = { ...ONE, onTimeout: 'block' };

function at(txid: number, epoch = 4): { epoch: number; txid: number } {
  return { epoch, txid };
}

/** Settled outcomes by label, in order. */
function watch(): {
  readonly settled: string[];
  readonly add: (label: string, promise: Promise<string>) => void;
} {
  const settled: string[] = [];
  return {
    settled,
    add: (label, promise) => {
      promise.then(
        (outcome) => settled.push(`${label} ${outcome}`),
        (error: unknown) => settled.push(`${label} ${String(error)}`),
      );
    },
  };
}

async function turn(): Promise<void> {
  for (let step = 0; step < 5; step += 1) await Promise.resolve();
}

test('mode none waits for nobody', async () => {
  const acks = new Acknowledgements(3, new ModelClock());
  await expect(acks.waitFor('a.db', at(1), { ...ONE, mode: 'none' })).resolves.toBe('acknowledged');
});

test('a database without transactions waits for nobody', async () => {
  const acks = new Acknowledgements(3, new ModelClock());
  await expect(acks.waitFor('a.db', at(0, 0), BLOCKING)).resolves.toBe('acknowledged');
});

test('mode one waits for one replica, at that transaction or later', async () => {
  const clock = new ModelClock();
  const acks = new Acknowledgements(5, clock);
  const replica = acks.attach('n2');
  const { settled, add } = watch();
  add('7', acks.waitFor('a.db', at(7), ONE));
  add('9', acks.waitFor('a.db', at(9), ONE));
  replica.acknowledge('a.db', at(6));
  replica.acknowledge('b.db', at(9));
  await turn();
  expect(settled).toEqual([]);
  replica.acknowledge('a.db', at(8));
  await turn();
  expect(settled).toEqual(['7 acknowledged']);
  expect(acks.counts).toEqual({ acknowledged: 1, degraded: 0, waiting: 1, blocked: 0 });
  replica.acknowledge('a.db', at(9));
  await turn();
  expect(settled).toEqual(['7 acknowledged', '9 acknowledged']);
  await expect(acks.waitFor('a.db', at(8), ONE)).resolves.toBe('acknowledged');
  expect(clock.pending).toBe(0);
});

test.each([
  [1, 0],
  [2, 1],
  [3, 1],
  [4, 2],
  [5, 2],
])('in a cluster of %i, a majority needs %i replicas beside the primary', async (size, needed) => {
  const acks = new Acknowledgements(size, new ModelClock());
  const { settled, add } = watch();
  add('1', acks.waitFor('a.db', at(1), MAJORITY));
  for (let replica = 1; replica <= needed; replica += 1) {
    await turn();
    expect(settled).toEqual([]);
    acks.attach(`n${replica}`).acknowledge('a.db', at(1));
  }
  await turn();
  expect(settled).toEqual(['1 acknowledged']);
});

test('a smaller cluster settles what its majority has already', async () => {
  const acks = new Acknowledgements(5, new ModelClock());
  const { settled, add } = watch();
  add('1', acks.waitFor('a.db', at(1), MAJORITY));
  acks.attach('n2').acknowledge('a.db', at(1));
  acks.resize(3);
  await turn();
  expect(settled).toEqual(['1 acknowledged']);
});

test('a node with two streams counts once, and the older stream no longer', async () => {
  const acks = new Acknowledgements(5, new ModelClock());
  const { settled, add } = watch();
  add('1', acks.waitFor('a.db', at(1), MAJORITY));
  const older = acks.attach('n2');
  older.acknowledge('a.db', at(1));
  const newer = acks.attach('n2');
  newer.acknowledge('a.db', at(1));
  older.acknowledge('a.db', at(1));
  await turn();
  expect(settled).toEqual([]);
  older.detach();
  acks.attach('n3').acknowledge('a.db', at(1));
  await turn();
  expect(settled).toEqual(['1 acknowledged']);
});

test('a replica that has disconnected counts no longer', async () => {
  const clock = new ModelClock();
  const acks = new Acknowledgements(3, clock);
  const replica = acks.attach('n2');
  replica.acknowledge('a.db', at(5));
  replica.detach();
  replica.acknowledge('a.db', at(5));
  const { settled, add } = watch();
  add('5', acks.waitFor('a.db', at(5), ONE));
  clock.advance(1000);
  await turn();
  expect(settled).toEqual(['5 degraded']);
});

test('a database that is being replaced counts no longer', async () => {
  const acks = new Acknowledgements(3, new ModelClock());
  const replica = acks.attach('n2');
  replica.acknowledge('a.db', at(5));
  replica.forget('a.db');
  const { settled, add } = watch();
  add('5', acks.waitFor('a.db', at(5), ONE));
  await turn();
  expect(settled).toEqual([]);
});

test('an acknowledgement of a lower epoch counts for nothing, however late its transaction', async () => {
  const acks = new Acknowledgements(3, new ModelClock());
  const replica = acks.attach('n2');
  const { settled, add } = watch();
  add('5', acks.waitFor('a.db', at(5, 4), ONE));
  replica.acknowledge('a.db', at(900, 3));
  await turn();
  expect(settled).toEqual([]);
  replica.acknowledge('a.db', at(5, 4));
  await turn();
  expect(settled).toEqual(['5 acknowledged']);
});

test('a wait runs out of time and degrades; those after it do so at once, until replicas catch up', async () => {
  const clock = new ModelClock();
  const acks = new Acknowledgements(3, clock);
  const { settled, add } = watch();
  add('5', acks.waitFor('a.db', at(5), ONE));
  clock.advance(999);
  await turn();
  expect(settled).toEqual([]);
  clock.advance(1);
  add('6', acks.waitFor('a.db', at(6), ONE));
  await turn();
  expect(settled).toEqual(['5 degraded', '6 degraded']);
  expect(acks.degradedNames).toEqual(['a.db']);
  expect(acks.counts).toEqual({ acknowledged: 0, degraded: 2, waiting: 0, blocked: 0 });
  const replica = acks.attach('n2');
  replica.acknowledge('a.db', at(5));
  expect(acks.degradedNames).toEqual(['a.db']);
  replica.acknowledge('a.db', at(6));
  expect(acks.degradedNames).toEqual([]);
  add('7', acks.waitFor('a.db', at(7), ONE));
  await turn();
  expect(settled).toHaveLength(2);
  replica.acknowledge('a.db', at(7));
  await turn();
  expect(settled.at(-1)).toBe('7 acknowledged');
});

test('one database degrades by itself', async () => {
  const clock = new ModelClock();
  const acks = new Acknowledgements(3, clock);
  const { settled, add } = watch();
  add('a', acks.waitFor('a.db', at(5), ONE));
  clock.advance(1000);
  add('b', acks.waitFor('b.db', at(5), ONE));
  await turn();
  expect(settled).toEqual(['a degraded']);
});

test('a wait that blocks goes on beyond its time-out and says so', async () => {
  const clock = new ModelClock();
  const acks = new Acknowledgements(3, clock);
  const { settled, add } = watch();
  add('5', acks.waitFor('a.db', at(5), BLOCKING));
  clock.advance(60_000);
  await turn();
  expect(settled).toEqual([]);
  expect(acks.counts).toEqual({ acknowledged: 0, degraded: 0, waiting: 1, blocked: 1 });
  acks.attach('n2').acknowledge('a.db', at(5));
  await turn();
  expect(settled).toEqual(['5 acknowledged']);
});

test('the end of the term leaves it unknown, and nothing waits any longer', async () => {
  const clock = new ModelClock();
  const acks = new Acknowledgements(3, clock);
  const waiting = acks.waitFor('a.db', at(5), BLOCKING);
  acks.end();
  await expect(waiting).rejects.toMatchObject({ code: 'stream_acknowledgement_unknown' });
  expect(clock.pending).toBe(0);
  expect(acks.counts.waiting).toBe(0);
});

test('acknowledged means that enough connected nodes held it, whatever the order of events', async () => {
  const event = fc.oneof(
    fc.record({ kind: fc.constant('ack' as const), node: fc.nat(3), txid: fc.nat(6) }),
    fc.record({ kind: fc.constant('cut' as const), node: fc.nat(3), txid: fc.constant(0) }),
    fc.record({ kind: fc.constant('wait' as const), node: fc.constant(0), txid: fc.nat(6) }),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(event, { maxLength: 40 }), async (events) => {
      const acks = new Acknowledgements(5, new ModelClock());
      const streams = new Map<number, ReturnType<Acknowledgements['attach']>>();
      const held = new Map<number, number>();
      const settled: number[] = [];
      const wanted: number[] = [];
      for (const { kind, node, txid } of events) {
        if (kind === 'wait') {
          const isHeld = txid === 0 || [...held.values()].filter((has) => has >= txid).length >= 2;
          if (!isHeld) wanted.push(txid);
          void acks.waitFor('a.db', at(txid), { ...BLOCKING, mode: 'majority' }).then(() => {
            if (!isHeld) settled.push(txid);
          });
        } else if (kind === 'cut') {
          streams.get(node)?.detach();
          streams.delete(node);
          held.delete(node);
        } else {
          const stream = streams.get(node) ?? acks.attach(`n${node}`);
          streams.set(node, stream);
          stream.acknowledge('a.db', at(txid));
          held.set(node, txid);
        }
        const open = wanted.filter(
          (want) => [...held.values()].filter((has) => has >= want).length < 2,
        );
        await turn();
        for (const want of wanted.filter((want) => !open.includes(want))) {
          expect(settled).toContain(want);
        }
        expect(settled.length).toBe(wanted.length - open.length);
        wanted.splice(0, Infinity, ...open);
        settled.length = 0;
      }
    }),
    { numRuns: 100 },
  );
});

test('nobody waits for a database that was dropped, and what was held of it counts for no other', async () => {
  const acks = new Acknowledgements(3, new ModelClock());
  const replica = acks.attach('n2');
  replica.acknowledge('a.db', at(5));
  const { settled, add } = watch();
  add('a', acks.waitFor('a.db', at(6), BLOCKING));
  add('b', acks.waitFor('b.db', at(6), BLOCKING));
  acks.dropped('a.db');
  add('new a', acks.waitFor('a.db', at(1), BLOCKING));
  await turn();
  expect(settled).toEqual(['a acknowledged']);
  replica.acknowledge('a.db', at(1));
  await turn();
  expect(settled).toEqual(['a acknowledged', 'new a acknowledged']);
});

test('a database that was dropped is no longer degraded', async () => {
  const clock = new ModelClock();
  const acks = new Acknowledgements(3, clock);
  const waiting = acks.waitFor('a.db', at(1), ONE);
  clock.advance(1000);
  await expect(waiting).resolves.toBe('degraded');
  expect(acks.degradedNames).toEqual(['a.db']);
  acks.dropped('a.db');
  expect(acks.degradedNames).toEqual([]);
});
