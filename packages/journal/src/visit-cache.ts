import { LruCache } from '@tandem/base';
import type { VisitRow } from './tail-row.ts';

/** Visitors that are kept; each takes about a kilobyte. */
const VISITORS_MAX = 20_000;

/**
 * The stored visits of recently met visitors.
 *
 * Invariant J10: what it answers is what the database holds. Whoever owns it clears it when a
 * transaction was rolled back or when another connection, or a purge, has written.
 */
export class VisitCache {
  readonly #byVisitor = new LruCache<bigint, VisitRow[]>(VISITORS_MAX);

  /** All stored visits of the visitor, on any site; undefined when that is not known. */
  visitsOf(visitor: bigint): readonly VisitRow[] | undefined {
    return this.#byVisitor.get(visitor);
  }

  /** `visits` are all that the database holds of the visitor; they are the cache's from now on. */
  set(visitor: bigint, visits: VisitRow[]): void {
    this.#byVisitor.set(visitor, visits);
  }

  /** Follows an insertion into the database. */
  add(visit: VisitRow): void {
    this.#byVisitor.get(visit.visitor)?.push(visit);
  }

  /** Follows, or goes before, an update. Returns the state until then, if it is known. */
  exchange(visit: VisitRow): VisitRow | undefined {
    const visits = this.#byVisitor.get(visit.visitor);
    const index = visits?.findIndex(({ id }) => id === visit.id) ?? -1;
    const before = visits?.[index];
    if (visits !== undefined && before !== undefined) visits[index] = visit;
    return before;
  }

  clear(): void {
    this.#byVisitor.clear();
  }
}
