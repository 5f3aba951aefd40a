import type { Hit } from '@loggia/contract';
import { VISIT_GAP_MS } from '@loggia/ingest';
import { assert } from '@tandem/base';

/** Hits of one visitor with no gap between them that would end a visit. */
interface Group {
  readonly visitors: Set<bigint>;
  readonly hits: Hit[];
  readonly numbers: number[];
  firstMs: number;
  lastMs: number;
}

/** Hits that may be written, with the numbers of their records. */
export interface ReadyHits {
  readonly hits: readonly Hit[];
  readonly numbers: readonly number[];
}

/** Hits that are held at once; beyond that, the oldest visits are let go before they are over. */
const HELD_HITS_MAX = 200_000;

/**
 * Holds the hits of one site until the visits that they belong to are over, so that each visit is
 * written in one transaction: what is written may be archived at once, and nothing can join it then.
 */
export class HeldVisits {
  readonly #byVisitor = new Map<bigint, Group>();
  /** Those that had a hit the longest ago come first. */
  readonly #groups = new Set<Group>();
  #heldHits = 0;
  #ready: { hits: Hit[]; numbers: number[] } = { hits: [], numbers: [] };

  /** How many hits may be written. */
  get readyCount(): number {
    return this.#ready.hits.length;
  }

  add(hit: Hit, number: number): void {
    const group = this.#groupFor(hit) ?? this.#begin(hit);
    group.hits.push(hit);
    group.numbers.push(number);
    group.firstMs = Math.min(group.firstMs, hit.timeMs);
    group.lastMs = Math.max(group.lastMs, hit.timeMs);
    group.visitors.add(hit.visitor);
    this.#byVisitor.set(hit.visitor, group);
    this.#groups.delete(group);
    this.#groups.add(group);
    this.#heldHits += 1;
    if (this.#heldHits > HELD_HITS_MAX) this.#closeOldest();
  }

  /** Lets go of the visits whose last hit was before `timeMs`. */
  closeBefore(timeMs: number): void {
    for (const group of this.#groups) {
      if (group.lastMs >= timeMs) return;
      this.#close(group);
    }
  }

  closeAll(): void {
    for (const group of this.#groups) this.#close(group);
  }

  takeReady(): ReadyHits {
    const ready = this.#ready;
    this.#ready = { hits: [], numbers: [] };
    return ready;
  }

  /** The records of all hits that were not taken. */
  pending(): readonly number[] {
    const held = Array.from(this.#groups, ({ numbers }) => numbers);
    return [...this.#ready.numbers, ...held.flat()];
  }

  /** A visit goes on after midnight, when its visitor has another id. */
  #groupFor(hit: Hit): Group | undefined {
    const before = hit.visitorBefore === null ? undefined : this.#byVisitor.get(hit.visitorBefore);
    const group = this.#byVisitor.get(hit.visitor) ?? before;
    if (group === undefined) return undefined;
    const isNear =
      hit.timeMs <= group.lastMs + VISIT_GAP_MS && hit.timeMs >= group.firstMs - VISIT_GAP_MS;
    if (isNear) return group;
    this.#close(group);
    return undefined;
  }

  #begin(hit: Hit): Group {
    return {
      visitors: new Set(),
      hits: [],
      numbers: [],
      firstMs: hit.timeMs,
      lastMs: hit.timeMs,
    };
  }

  #close(group: Group): void {
    this.#groups.delete(group);
    for (const visitor of group.visitors) this.#byVisitor.delete(visitor);
    this.#heldHits -= group.hits.length;
    this.#ready.hits.push(...group.hits);
    this.#ready.numbers.push(...group.numbers);
  }

  #closeOldest(): void {
    const [oldest] = this.#groups;
    assert(oldest !== undefined, 'held hits are in a group');
    this.#close(oldest);
  }
}
