import { describe, expect, test } from 'vitest';
import type { NodeIdentity } from '@tandem/lease';
import { Complaints } from './complaints.ts';
import { MemberRecord } from './member-record.ts';
import { systemStreamClock } from './stream-source.ts';

const node = (name: string, start = 1): NodeIdentity => ({
  id: `${name}-${start}`,
  name,
  advertiseUrl: `http://${name}:1`,
});
const namesOf = (members: readonly NodeIdentity[]): string =>
  members.map(({ name }) => name).join();

/** A record whose writes to the store end when the test says so. */
class Bench {
  readonly lists: string[] = [];
  readonly logged: string[] = [];
  readonly record: MemberRecord;
  nowMs = 0;
  recordedCount = 0;
  #answer: { resolve: () => void; reject: (error: Error) => void } = Promise.withResolvers<void>();

  constructor(known: readonly NodeIdentity[] = []) {
    const clock = { ...systemStreamClock, monotonicMs: () => this.nowMs };
    const complaints = new Complaints((_level, message) => void this.logged.push(message), clock);
    const record = (members: readonly NodeIdentity[]): Promise<void> => {
      this.lists.push(namesOf(members));
      const answer = Promise.withResolvers<void>();
      this.#answer = answer;
      return answer.promise;
    };
    const onRecorded = (): void => void (this.recordedCount += 1);
    this.record = new MemberRecord({ record, clock, complaints, onRecorded }, known);
  }

  async answer(error?: Error): Promise<void> {
    if (error === undefined) this.#answer.resolve();
    else this.#answer.reject(error);
    await new Promise((resolve) => setImmediate(resolve));
  }
}

describe('the record of members', () => {
  test('M1: keeps those of the term before while they may only be late', () => {
    const bench = new Bench([node('b'), node('c')]);
    bench.record.update([]);
    bench.nowMs = 59_000;
    bench.record.update([node('b')]);
    expect(bench.lists).toEqual([]);
    bench.nowMs = 61_000;
    bench.record.update([node('b')]);
    expect(bench.lists).toEqual(['b']);
  });

  test('M2: a replica counts once the store has it, and not before', async () => {
    const bench = new Bench();
    let isCounted = false;
    bench.record.joined(node('b'), () => void (isCounted = true));
    expect(bench.lists).toEqual(['b']);
    expect(isCounted).toBe(false);
    await bench.answer();
    expect(isCounted).toBe(true);
    expect(bench.recordedCount).toBe(1);
  });

  test('M2: a replica that the store has counts at once, also after a new start', () => {
    const bench = new Bench([node('b')]);
    let counted = 0;
    bench.record.joined(node('b'), () => void (counted += 1));
    bench.record.joined(node('b', 2), () => void (counted += 1));
    expect(counted).toBe(2);
  });

  test('M2: what the store did not take is tried again', async () => {
    const bench = new Bench();
    let isCounted = false;
    bench.record.joined(node('b'), () => void (isCounted = true));
    await bench.answer(new Error('the store is away'));
    expect(bench.logged).toEqual(['cannot record the members of the cluster']);
    bench.record.update([node('b')]);
    expect(bench.lists).toEqual(['b', 'b']);
    await bench.answer();
    expect(isCounted).toBe(true);
  });

  test('is not written again while nothing has changed', async () => {
    const bench = new Bench();
    bench.record.update([node('b')]);
    bench.record.update([node('b')]);
    await bench.answer();
    bench.record.update([node('b')]);
    expect(bench.lists).toEqual(['b']);
  });

  test('two nodes of one name that displace each other are named once, with what to do', () => {
    const bench = new Bench();
    const ignore = (): void => {};
    for (const start of [1, 2, 1, 2, 1]) bench.record.joined(node('b', start), ignore);
    expect(bench.logged).toEqual(['two nodes are named b']);
  });

  test('a node that starts anew is not taken for two', () => {
    const bench = new Bench();
    for (const start of [1, 1, 2, 3]) bench.record.joined(node('b', start), () => {});
    expect(bench.logged).toEqual([]);
  });
});
