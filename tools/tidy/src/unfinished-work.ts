import { isMade, type Repository, type Violation } from './repository.ts';

// In two pieces, so that this file passes its own rule.
const MARKERS = new RegExp(String.raw`\b(?:${['TO', 'DO'].join('')}|${['FIX', 'ME'].join('')})\b`);
const MADE_ELSEWHERE = new Set(['package-lock.json', 'LICENSE']);

/** What is not done is an issue, not a note in the code. */
export function unfinishedViolations(repository: Repository): Violation[] {
  return [...repository].flatMap(([path, text]) => {
    if (MADE_ELSEWHERE.has(path) || isMade(path)) return [];
    return text.split('\n').flatMap((line, index) => {
      const marker = MARKERS.exec(line)?.[0];
      return marker === undefined
        ? []
        : [{ path, line: index + 1, message: `'${marker}' is left` }];
    });
  });
}
