/** What a node counts of itself since its process began. */
export const NODE_COUNTS = [
  'streamsOpened',
  'transactionsApplied',
  'repairs',
  'foreignWrites',
  'walRestarts',
  'gaps',
  'databasesRefused',
] as const;

export type NodeCount = (typeof NODE_COUNTS)[number];

/** The counts of a node, shared by all that it is made of. */
export class NodeCounters {
  readonly #counts = new Map<NodeCount, number>();

  add(count: NodeCount, by = 1): void {
    this.#counts.set(count, (this.#counts.get(count) ?? 0) + by);
  }

  all(): Record<NodeCount, number> {
    const entries = NODE_COUNTS.map((count) => [count, this.#counts.get(count) ?? 0] as const);
    return Object.fromEntries(entries) as Record<NodeCount, number>;
  }
}
