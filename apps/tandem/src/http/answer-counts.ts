import type { HttpCounts } from './metric-definition.ts';

/** Counts answers by route and status. Routes are a fixed set, so the counts are bounded. */
export class AnswerCounts {
  readonly #counts = new Map<string, { route: string; status: number; count: number }>();

  add(route: string, status: number): void {
    const key = `${route} ${status}`;
    const known = this.#counts.get(key) ?? { route, status, count: 0 };
    known.count += 1;
    this.#counts.set(key, known);
  }

  all(): HttpCounts['answers'] {
    return [...this.#counts.values()].map((each) => ({ ...each }));
  }
}
