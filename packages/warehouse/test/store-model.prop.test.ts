import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { StatementResult } from '@loggia/contract';
import { MemoryTail } from './memory-tail.ts';
import { openStore } from './open-store.ts';

/** All of both tables in one text, as the engine and as the model say it. */
const EVERYTHING = {
  sql: `SELECT
      (SELECT coalesce(string_agg(id || ':' || page, ' ' ORDER BY id), '') FROM event),
      (SELECT coalesce(string_agg(id || ':' || pageviews, ' ' ORDER BY id), '') FROM visit)`,
  parameters: [],
};

class Model {
  readonly states = [' | '];
  #events: string[] = [];
  #visits = new Map<number, number>();

  commit(pages: readonly string[], visits: readonly (readonly [number, number])[]): void {
    for (const page of pages) this.#events.push(page);
    for (const [id, pageviews] of visits) this.#visits.set(id, pageviews);
    this.#note();
  }

  restore(kept: number): void {
    this.#events = this.#events.slice(0, kept);
    this.#visits = new Map([...this.#visits].slice(0, kept));
    this.#note();
  }

  #note(): void {
    const events = this.#events.map((page, index) => `${index + 1}:${page}`);
    const visits = [...this.#visits].sort(([a], [b]) => a - b).map((pair) => pair.join(':'));
    this.states.push(`${events.join(' ')} | ${visits.join(' ')}`);
  }
}

const page = fc.constantFrom('/', '/a', '/b?c', 'ü');
const visit = fc.tuple(fc.integer({ min: 1, max: 12 }), fc.integer({ min: 0, max: 99 }));
const command = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant('commit' as const),
      pages: fc.array(page, { maxLength: 7 }),
      visits: fc.uniqueArray(visit, { maxLength: 7, selector: ([id]) => id }),
    }),
  },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('query' as const) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('follow' as const) }) },
  // A statement takes far longer than a turn: mostly an answer is waited for, so that what follows
  // meets a store that is loaded, or one in the middle of the next answer.
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('wait' as const), at: fc.nat() }) },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant('turn' as const), turns: fc.nat({ max: 100 }) }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('restore' as const), kept: fc.nat({ max: 20 }) }),
  },
);

test('any interleaving of commits, restores and queries answers as plain arrays do (W1, W2, W4, W5)', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(command, { minLength: 10, maxLength: 40, size: 'max' }),
      fc.integer({ min: 1, max: 9 }),
      async (commands, stepRowsMax) => {
        const tail = new MemoryTail();
        const model = new Model();
        await using resources = new AsyncDisposableStack();
        const store = await openStore(tail, { stepRowsMax });
        resources.defer(() => store.close());
        const checks: Promise<void>[] = [];
        const ask = async (): Promise<void> => {
          const first = model.states.length - 1;
          const answer = textOf(await store.query(EVERYTHING));
          // Any state from the call on is right, and nothing but a state.
          expect(model.states.slice(first)).toContain(answer);
        };
        for (const step of commands) {
          if (step.kind === 'commit') {
            tail.commit({
              events: step.pages.map((text) => ({ page: text })),
              visits: step.visits.map(([id, pageviews]) => ({ id, pageviews })),
            });
            model.commit(step.pages, step.visits);
          } else if (step.kind === 'restore') {
            tail.restore(step.kept);
            model.restore(step.kept);
          } else if (step.kind === 'turn') {
            for (let turn = 0; turn < step.turns; turn += 1) await new Promise(setImmediate);
          } else if (step.kind === 'wait') {
            await checks[step.at % checks.length];
          } else {
            checks.push(step.kind === 'query' ? ask() : store.follow());
          }
        }
        await Promise.all(checks);
        expect(textOf(await store.query(EVERYTHING))).toBe(model.states.at(-1));
      },
    ),
    { numRuns: 40 },
  );
});

function textOf({ rows }: StatementResult): string {
  return (rows[0] ?? []).join(' | ');
}
