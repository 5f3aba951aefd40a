import type { PrefixDigest } from './content-digest.ts';
import type { ImportKind } from './import-kind.ts';
import type { ImportLedger, ImportProgress, NamedProgress } from './import-progress.ts';
import type { ImportSource } from './import-source.ts';
import { walkRecords } from './record-walk.ts';

/** What the first reading of a file found. */
export interface Survey {
  readonly source: ImportSource;
  /** Under which its progress is kept. */
  readonly name: string;
  /** Of an earlier import of the same content, or of its beginning. */
  readonly known: ImportProgress | undefined;
  readonly records: number;
  readonly isCutOff: boolean;
  /** The first time in it; infinite when there is none. */
  readonly firstMs: number;
}

/** Reads a file without importing anything. */
export async function surveyFile<Parsed>(
  source: ImportSource,
  context: {
    readonly kind: ImportKind<Parsed>;
    readonly ledger: ImportLedger;
    readonly onBadLine: (line: number, reason: string) => void;
    readonly onProgress: () => void;
  },
): Promise<Survey> {
  const { kind, ledger, onBadLine, onProgress } = context;
  const earlier = ledger.list();
  let firstMs = Number.POSITIVE_INFINITY;
  let sha256 = '';
  let marked: readonly PrefixDigest[] = [];
  const end = await walkRecords(
    kind,
    source,
    {
      wants: () => true,
      take: (parsed) => {
        if (firstMs === Number.POSITIVE_INFINITY) firstMs = kind.timeMs(parsed) ?? firstMs;
      },
      bad: onBadLine,
      passed: (_, digest) => {
        sha256 = digest.sha256();
        marked = digest.marked;
        onProgress();
      },
    },
    earlier.map(({ progress }) => progress.bytes),
  );
  const found = longestKnown(earlier, marked);
  return {
    source,
    name: found?.name ?? ledger.nameFor(sha256),
    known: found?.progress,
    records: end.records,
    isCutOff: end.isCutOff,
    firstMs,
  };
}

type Known = NamedProgress & { readonly progress: ImportProgress };

/** Of the earlier imports, the one that got furthest in this content. */
function longestKnown(
  earlier: readonly Known[],
  marked: readonly PrefixDigest[],
): Known | undefined {
  let longest: Known | undefined;
  for (const known of earlier) {
    const { bytes, sha256 } = known.progress;
    const isSame = marked.some((mark) => mark.bytes === bytes && mark.sha256 === sha256);
    if (isSame && bytes >= (longest?.progress.bytes ?? 0)) longest = known;
  }
  return longest;
}
