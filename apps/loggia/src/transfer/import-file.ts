import type { ImportKind } from './import-kind.ts';
import type { ImportLedger, ImportProgress } from './import-progress.ts';
import { walkRecords } from './record-walk.ts';
import type { Survey } from './survey-file.ts';

/** What became of one file. */
export interface ImportedFile {
  readonly path: string;
  /** In this run and those before it. */
  readonly counts: Readonly<Record<string, number>>;
  /** `again`: nothing new was in it. `resumed`: part of it had been imported before. */
  readonly state: 'new' | 'resumed' | 'again';
  /** Whether its last line is incomplete and was left for another time. */
  readonly isCutOff: boolean;
}

/** Up to where a file has been looked at. */
type Reached = Pick<ImportProgress, 'bytes' | 'sha256' | 'records'>;

const NOTHING: Reached = { bytes: 0, sha256: '', records: 0 };

/** Imports what an earlier import has not imported of the file. */
export async function importFile<Parsed>(
  { source, name, known, records, isCutOff }: Survey,
  context: {
    readonly kind: ImportKind<Parsed>;
    readonly ledger: ImportLedger;
    readonly nowMs: () => number;
    readonly onProgress: () => void;
    readonly onCommit: () => void;
  },
): Promise<ImportedFile> {
  const { kind, ledger, nowMs, onProgress, onCommit } = context;
  const path = source.path;
  if (known !== undefined && known.isDone && known.records >= records) {
    return { path, counts: known.counts, state: 'again', isCutOff };
  }
  const sink = kind.sink(known?.counts ?? {});
  const before = new Set(known?.pending);
  let reached: Reached = known ?? NOTHING;
  let badCount = known?.counts['bad'] ?? 0;
  const write = (met: number, isDone: boolean): void => {
    sink.write(() => {
      const later = [...before].filter((number) => number >= met);
      ledger.save(name, {
        bytes: reached.bytes,
        sha256: reached.sha256,
        records: reached.records,
        pending: [...sink.pending(), ...later],
        isDone,
        counts: countsOf(sink.counts(), badCount),
        savedMs: nowMs(),
      });
    });
    onCommit();
  };
  const end = await walkRecords(kind, source, {
    wants: (number) => number >= (known?.records ?? 0) || before.has(number),
    take: (parsed, number) => sink.take(parsed, number),
    bad: () => (badCount += 1),
    passed: (count, digest) => {
      if (count > reached.records) {
        reached = { bytes: digest.bytes, sha256: digest.sha256(), records: count };
      }
      if (sink.isDue) write(count, false);
      onProgress();
    },
  });
  sink.end();
  write(end.records, true);
  const state = known === undefined ? 'new' : 'resumed';
  return { path, counts: countsOf(sink.counts(), badCount), state, isCutOff: end.isCutOff };
}

function countsOf(
  counts: Readonly<Record<string, number>>,
  bad: number,
): Readonly<Record<string, number>> {
  return bad === 0 ? counts : { ...counts, bad };
}
