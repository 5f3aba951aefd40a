import { basename } from 'node:path';
import { ImportError } from './import-error.ts';
import { importFile, type ImportedFile } from './import-file.ts';
import type { ImportKind } from './import-kind.ts';
import type { ImportLedger } from './import-progress.ts';
import { surveyFile, type Survey } from './survey-file.ts';

/** What an import runs with. */
export interface ImportOptions<Parsed> {
  readonly kind: ImportKind<Parsed>;
  readonly ledger: ImportLedger;
  /** Lines that may be left out in all files together. */
  readonly badLinesMax: number;
  readonly nowMs: () => number;
  /** `share` is 0 to 1; `step` says what is done with which file. */
  readonly onProgress: (share: number, step: string) => void;
  /** Called after each transaction; tests end the process there. */
  readonly onCommit?: () => void;
}

/** A line that cannot be understood. */
export interface BadLine {
  readonly path: string;
  readonly line: number;
  readonly reason: string;
}

export interface ImportResult {
  readonly files: readonly ImportedFile[];
  /** The first of those that were left out. */
  readonly badLines: readonly BadLine[];
  readonly badLineCount: number;
}

const BAD_LINES_LISTED_MAX = 20;

/**
 * Imports files. All are read once before anything is written: when one of them is of another kind,
 * or too many lines are bad, nothing is imported. Then they are taken in the order of their first
 * times. Cut off anywhere, the same call goes on where it was, with nothing lost and nothing twice.
 *
 * @throws ImportError, JournalError
 */
export async function runImport<Parsed>(
  paths: readonly string[],
  options: ImportOptions<Parsed>,
): Promise<ImportResult> {
  const { kind, ledger, nowMs, onProgress, onCommit } = options;
  const badLines: BadLine[] = [];
  let badLineCount = 0;
  const surveys: Survey[] = [];
  for (const [index, path] of paths.entries()) {
    const source = kind.open(path);
    surveys.push(
      await surveyFile(source, {
        kind,
        ledger,
        onBadLine: (line, reason) => {
          badLineCount += 1;
          if (badLines.length < BAD_LINES_LISTED_MAX) badLines.push({ path, line, reason });
        },
        onProgress: () =>
          onProgress((index + source.share) / (2 * paths.length), `Reading ${basename(path)}`),
      }),
    );
  }
  refuseBadLines(badLines, badLineCount, options.badLinesMax);
  surveys.sort((left, right) => left.firstMs - right.firstMs || 0);
  const files: ImportedFile[] = [];
  for (const [index, survey] of surveys.entries()) {
    const { source } = survey;
    files.push(
      await importFile(survey, {
        kind,
        ledger,
        nowMs,
        onProgress: () => {
          const share = 0.5 + (index + source.share) / (2 * paths.length);
          onProgress(share, `Importing ${basename(source.path)}`);
        },
        onCommit: () => onCommit?.(),
      }),
    );
  }
  return { files, badLines, badLineCount };
}

function refuseBadLines(badLines: readonly BadLine[], count: number, max: number): void {
  const [first] = badLines;
  if (count <= max || first === undefined) return;
  const others = count === 1 ? '' : `, and ${count - 1} more`;
  throw new ImportError(
    'import_bad_lines',
    `${first.path}, line ${first.line}: ${first.reason}${others}`,
    {
      hint: `Nothing was imported. Correct the file, or leave such lines out with --bad-lines ${count}.`,
    },
  );
}
