import { assert } from '@tandem/base';
import type { DropReason, Hit } from '@loggia/contract';
import type { Journal, NewDropCount, VisitRow } from '@loggia/journal';
import { VISIT_GAP_MS, beginVisit, extendVisit, findVisit } from './visit.ts';

/** How long a visitor's id of a new day points to a visit that began under an older one. */
const ALIAS_LIFETIME_MS = 48 * 3_600_000;

const NO_VISITS: readonly VisitRow[] = [];

/** What became of one hit: null when it is stored (or was already), else why it was dropped. */
export type WriteOutcome = DropReason | null;

/**
 * Puts hits into the journal's tail and forms the visits.
 *
 * Everything it needs to know about visits under way is in the journal, so a writer may start at any
 * moment, also after a crash or on another node, and several may take turns.
 */
export class TailWriter {
  readonly #journal: Journal;

  constructor(journal: Journal) {
    this.#journal = journal;
  }

  /**
   * Stores `hits` and the counts of `drops` in one transaction: all of them or, when it throws, none.
   * Visits are formed in the order of the hits' own times; hits of the same instant keep their order.
   * `nowMs` is the time of their arrival, from which ids are remembered. `alongside` may write more
   * into the journal in the same transaction.
   *
   * @returns one outcome per hit, in the order given.
   * @throws JournalError when the journal cannot be written.
   */
  write(
    hits: readonly Hit[],
    nowMs: number,
    drops: readonly NewDropCount[] = [],
    alongside?: () => void,
  ): WriteOutcome[] {
    if (hits.length === 0 && drops.length === 0 && alongside === undefined) return [];
    return this.#journal.transaction(() => {
      const outcomes = hits.length === 0 ? [] : this.#store(hits, nowMs);
      this.#journal.drops.add(drops);
      alongside?.();
      return outcomes;
    });
  }

  #store(hits: readonly Hit[], nowMs: number): WriteOutcome[] {
    const outcomes = Array.from<WriteOutcome>({ length: hits.length }).fill(null);
    const order = orderByTime(hits);
    const visits = new OpenVisits(this.#journal, nowMs, {
      first: hits[order[0] ?? 0],
      last: hits[order.at(-1) ?? 0],
    });
    for (const index of order) {
      const hit = hits[index];
      assert(hit !== undefined, 'the order names every hit once');
      if (this.#isKnown(hit, nowMs)) continue;
      if (!visits.store(hit)) outcomes[index] = 'no_visit';
    }
    visits.flush();
    return outcomes;
  }

  /** Whether an event of the same id is stored already; remembers the id if not. */
  #isKnown(hit: Hit, nowMs: number): boolean {
    if (hit.dedupeId === null) return false;
    return !this.#journal.tail.rememberId(hit.siteId, hit.dedupeId, nowMs);
  }
}

/** Indices of `hits` by ascending time; equal times keep their order. */
function orderByTime(hits: readonly Hit[]): readonly number[] {
  const order = Array.from(hits.keys());
  const timeAt = (index: number): number => hits[index]?.timeMs ?? 0;
  return order.sort((left, right) => timeAt(left) - timeAt(right) || left - right);
}

/** The visits that one transaction touches: read when first needed, written once at the end. */
class OpenVisits {
  readonly #journal: Journal;
  readonly #nowMs: number;
  readonly #fromMs: number;
  readonly #toMs: number;
  /** Site id → visitor's id → the visits that began under this id. */
  readonly #bySite = new Map<number, Map<bigint, VisitRow[]>>();
  readonly #dirty = new Map<number, VisitRow>();

  constructor(
    journal: Journal,
    nowMs: number,
    { first, last }: { readonly first: Hit | undefined; readonly last: Hit | undefined },
  ) {
    assert(first !== undefined && last !== undefined, 'there is a hit');
    this.#journal = journal;
    this.#nowMs = nowMs;
    this.#fromMs = first.timeMs - VISIT_GAP_MS;
    this.#toMs = last.timeMs + VISIT_GAP_MS;
  }

  /** Stores `hit` in its visit. False for a ping that has none. */
  store(hit: Hit): boolean {
    const isPing = hit.name === 'engagement';
    const own = this.#visitsOf(hit.siteId, hit.visitor);
    const carried = this.#carriedVisits(hit);
    const visit = findVisit(carried.length === 0 ? own : [...own, ...carried], hit.timeMs, isPing);
    if (visit === undefined) {
      if (isPing) return false;
      this.#begin(hit, own);
      return true;
    }
    const listed = visit.visitor === hit.visitor ? own : this.#visitsOf(hit.siteId, visit.visitor);
    this.#extend(visit, hit, listed);
    return true;
  }

  #begin(hit: Hit, own: VisitRow[]): void {
    const begun = beginVisit(hit);
    const id = this.#journal.tail.insertVisit(begun);
    own.push({ ...begun, id });
    this.#insertEvent(hit, id, hit.visitor);
  }

  /** `visits` are those that began under the id of `visit`. */
  #extend(visit: VisitRow, hit: Hit, visits: VisitRow[]): void {
    const position = visits.indexOf(visit);
    assert(position >= 0, 'a visit is listed under its visitor');
    const extended = extendVisit(visit, hit);
    visits[position] = extended;
    this.#dirty.set(extended.id, extended);
    this.#insertEvent(hit, visit.id, visit.visitor);
    if (visit.visitor !== hit.visitor) this.#rememberAlias(hit, visit.visitor);
  }

  /**
   * Visits that began under an id of an earlier date and may still be under way: those of the day
   * before's id, and those that either id already stands for.
   */
  #carriedVisits(hit: Hit): readonly VisitRow[] {
    const { tail } = this.#journal;
    const aliases = tail.aliasesOf(hit.siteId, hit.visitor);
    if (hit.visitorBefore === null && aliases.length === 0) return NO_VISITS;
    const visitors = new Set<bigint>();
    if (hit.visitorBefore !== null) {
      visitors.add(hit.visitorBefore);
      for (const visitor of tail.aliasesOf(hit.siteId, hit.visitorBefore)) visitors.add(visitor);
    }
    for (const visitor of aliases) visitors.add(visitor);
    visitors.delete(hit.visitor);
    const carried: VisitRow[] = [];
    for (const visitor of visitors) carried.push(...this.#visitsOf(hit.siteId, visitor));
    return carried;
  }

  #rememberAlias(hit: Hit, visitor: bigint): void {
    this.#journal.tail.addAlias({
      siteId: hit.siteId,
      alias: hit.visitor,
      visitor,
      expiresMs: this.#nowMs + ALIAS_LIFETIME_MS,
    });
  }

  #visitsOf(siteId: number, visitor: bigint): VisitRow[] {
    let site = this.#bySite.get(siteId);
    if (site === undefined) {
      site = new Map();
      this.#bySite.set(siteId, site);
    }
    const known = site.get(visitor);
    if (known !== undefined) return known;
    const range = { fromMs: this.#fromMs, toMs: this.#toMs };
    const visits = [...this.#journal.tail.visitsOf(siteId, [visitor], range)];
    site.set(visitor, visits);
    return visits;
  }

  #insertEvent(hit: Hit, visitId: number, visitor: bigint): void {
    this.#journal.tail.insertEvent({
      site_id: hit.siteId,
      visit_id: visitId,
      visitor,
      time_ms: hit.timeMs,
      name: hit.name,
      hostname: hit.hostname,
      page: hit.page,
      properties: hit.properties,
      revenue_milli: hit.revenueMilli,
      revenue_currency: hit.revenueCurrency,
      interactive: hit.interactive ? 1 : 0,
      scroll_depth: hit.scrollDepth,
      engaged_ms: hit.engagedMs,
    });
  }

  /** Writes the visits that have changed since they were read or inserted. */
  flush(): void {
    for (const visit of this.#dirty.values()) this.#journal.tail.updateVisit(visit);
  }
}
