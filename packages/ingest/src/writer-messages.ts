import type { DropReason, ErrorCode } from '@loggia/contract';

/** A number of events that were dropped before they reached the journal. */
export interface DropCount {
  readonly siteId: number | null;
  /** The site's local date, UTC's when the site is unknown. */
  readonly date: string;
  readonly reason: DropReason;
  readonly count: number;
}

/** A hit of a group that was not stored, though the group was. */
export interface Refusal {
  /** Of the hit, in the group. */
  readonly index: number;
  readonly reason: DropReason;
}

/** What the main thread asks of the writer. Every message but `close` is one transaction or less. */
export type WriterRequest =
  | {
      readonly kind: 'write';
      /** As `encodeHits` writes them. */
      readonly hitsText: string;
      readonly drops: readonly DropCount[];
      /** When the hits arrived. */
      readonly nowMs: number;
    }
  | { readonly kind: 'upkeep'; readonly nowMs: number }
  | { readonly kind: 'close' };

/** The writer's answers, in the order of the requests; `ready` comes first and once. */
export type WriterResponse =
  | { readonly kind: 'ready' }
  | { readonly kind: 'written'; readonly refusals: readonly Refusal[] }
  | { readonly kind: 'failed'; readonly code: ErrorCode; readonly message: string }
  | { readonly kind: 'kept'; readonly purgedRows: number }
  | { readonly kind: 'closed' };
