import type { WalGeneration, WalIndexHeader, WalPosition } from '@tandem/sqlite-format';

/** A place in a write-ahead log: after frame `position.frame` of one generation of it. */
export interface WalCursor {
  readonly generation: WalGeneration;
  readonly position: WalPosition;
}

/** The cursor after the last committed frame that a wal-index announces. */
export function cursorOf(header: WalIndexHeader): WalCursor {
  const { pageSize, salt1, salt2, isBigEndianChecksum } = header;
  return {
    generation: { pageSize, salt1, salt2, isBigEndianChecksum },
    position: { frame: header.mxFrame, s0: header.frameChecksum1, s1: header.frameChecksum2 },
  };
}

/** Whether both salts are the same, so that frame numbers of both mean the same frames. */
export function isSameGeneration(
  a: Pick<WalGeneration, 'salt1' | 'salt2'>,
  b: Pick<WalGeneration, 'salt1' | 'salt2'>,
): boolean {
  return a.salt1 === b.salt1 && a.salt2 === b.salt2;
}
