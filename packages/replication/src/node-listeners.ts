import type { NodeEvent } from './node-options.ts';

/** Whoever wants to know what happens to a node. */
export class NodeListeners {
  readonly #listeners = new Set<(event: NodeEvent) => void>();

  /** Calls back on each event, until the returned function is called. */
  add(listener: (event: NodeEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  tell(event: NodeEvent): void {
    for (const listener of this.#listeners) listener(event);
  }
}
