import type { LtxFile } from '@tandem/storage';

/** States that follow one another without a gap, each of which can be restored. */
export interface RestorableRange {
  readonly fromTxid: number;
  readonly throughTxid: number;
  /** When the first and the last one were committed. */
  readonly fromMs: number;
  readonly throughMs: number;
  /** How many states there are: merged files have fewer than they have transactions. */
  readonly stateCount: number;
}

/** What can be restored from files of one history, the oldest first. */
export function restorableRanges(files: readonly LtxFile[]): RestorableRange[] {
  const ranges: RestorableRange[] = [];
  let reached: LtxFile | undefined;
  for (const [state, ...sameEnd] of byEnd(files)) {
    if (state === undefined) continue;
    const ways = [state, ...sameEnd];
    const from = reached?.maxTxid ?? 0;
    if (!ways.some(({ minTxid }) => minTxid === 1 || minTxid <= from + 1)) continue;
    const goesOn = ways.some(({ minTxid, maxTxid }) => {
      const isChange = minTxid > 1 && minTxid <= from + 1;
      return isChange || maxTxid === from + 1;
    });
    const last = ranges.at(-1);
    if (last !== undefined && goesOn) ranges.splice(-1, 1, extended(last, state));
    else ranges.push(rangeOf(state));
    reached = state;
  }
  return ranges;
}

/** In groups that end with the same transaction. */
function byEnd(files: readonly LtxFile[]): LtxFile[][] {
  const groups = new Map<number, LtxFile[]>();
  for (const file of files.toSorted((a, b) => a.maxTxid - b.maxTxid)) {
    const group = groups.get(file.maxTxid);
    if (group === undefined) groups.set(file.maxTxid, [file]);
    else group.push(file);
  }
  return [...groups.values()];
}

function rangeOf({ maxTxid, createdMs }: LtxFile): RestorableRange {
  return {
    fromTxid: maxTxid,
    throughTxid: maxTxid,
    fromMs: createdMs,
    throughMs: createdMs,
    stateCount: 1,
  };
}

function extended(range: RestorableRange, { maxTxid, createdMs }: LtxFile): RestorableRange {
  const stateCount = range.stateCount + 1;
  return { ...range, throughTxid: maxTxid, throughMs: createdMs, stateCount };
}
