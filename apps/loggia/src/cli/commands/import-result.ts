import { basename } from 'node:path';
import type { ImportResult } from '../../transfer/run-import.ts';
import type { CommandResult } from '../command.ts';
import { tableText } from '../table-text.ts';

/** What an import has to say, with the words of its own for what it counts. */
export function importResult(
  { files, badLines, badLineCount }: ImportResult,
  words: Readonly<Record<string, string>>,
  notices: readonly string[] = [],
): CommandResult {
  const totals = new Map<string, number>();
  for (const { counts } of files) {
    for (const [name, count] of Object.entries(counts)) {
      totals.set(name, (totals.get(name) ?? 0) + count);
    }
  }
  const known = Object.keys(words).filter((name) => totals.has(name));
  const names = new Set([...known, ...totals.keys()]);
  const rows = Array.from(names, (name) => [words[name] ?? name, String(totals.get(name) ?? 0)]);
  const lines = [
    ...files.flatMap(({ path, state, isCutOff }) => {
      const name = basename(path);
      const said = state === 'new' ? [] : [`${name}: ${STATES[state]}.\n`];
      return isCutOff
        ? [...said, `${name}: the last line is incomplete; it was left out.\n`]
        : said;
    }),
    ...notices.map((notice) => `${notice}\n`),
    ...badLines.map(({ path, line, reason }) => `${basename(path)}, line ${line}: ${reason}.\n`),
    badLineCount > badLines.length
      ? `… and ${badLineCount - badLines.length} more such lines.\n`
      : '',
  ];
  return {
    value: {
      files: files.map(({ path, state, counts, isCutOff }) => ({
        file: path,
        state,
        counts,
        cut_off: isCutOff,
      })),
      totals: Object.fromEntries(totals),
      bad_lines: badLines.map(({ path, line, reason }) => ({ file: path, line, reason })),
      notices,
    },
    text:
      tableText([{ heading: 'What' }, { heading: 'Count', isNumber: true }], rows) + lines.join(''),
  };
}

const STATES = {
  resumed: 'part of it had been imported before; the counts are of all of it',
  again: 'all of it had been imported before; nothing was done',
} as const;
