import type { SegmentSet } from '@loggia/contract';

/** The sealed part of the journal as the warehouse reads it. All calls are synchronous. */
export interface ArchiveSource {
  /** Rises with every change of the sets. */
  version(): number;
  /** All sets; within `TailSource.snapshot`, those of the same state as the rows. */
  sets(): readonly SegmentSet[];
  /** The bytes of a segment; undefined when it has been replaced or deleted since. */
  body(segmentId: number): Uint8Array | undefined;
}
