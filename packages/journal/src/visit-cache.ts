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
  readonly #byVisitor = new LruCache<bigint, readonly VisitRow[]>(VISITORS_MAX);

  /** All stored visits of the visitor, on any site; undefined when that is not known. */
  visitsOf(visitor: bigint): readonly VisitRow[] | undefined {
    return this.#byVisitor.get(visitor);
  }

  /** `visits` are all that the database holds of the visitor. */
  set(visitor: bigint, visits: readonly VisitRow[]): void {
    this.#byVisitor.set(visitor, visits);
  }

  /** The stored state of a visit, if it is known. */
  find(visitor: bigint, id: number): VisitRow | undefined {
    return this.#byVisitor.get(visitor)?.find((visit) => visit.id === id);
  }

  /** Follows an insertion into the database. */
  add(visit: VisitRow): void {
    const visits = this.#byVisitor.get(visit.visitor);
    if (visits !== undefined) this.#byVisitor.set(visit.visitor, [...visits, visit]);
  }

  /** Follows an update of the database. */
  replace(visit: VisitRow): void {
    const visits = this.#byVisitor.get(visit.visitor);
    if (visits === undefined) return;
    const replaced = visits.map((other) => (other.id === visit.id ? visit : other));
    this.#byVisitor.set(visit.visitor, replaced);
  }

  clear(): void {
    this.#byVisitor.clear();
  }
}
