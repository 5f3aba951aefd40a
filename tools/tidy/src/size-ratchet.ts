import { isSource, isTest, type Repository, type Violation } from './repository.ts';
import { tokensOf } from './source-tokens.ts';
import type { Token } from './tokens.ts';

const SOURCE_LINES_MAX = 400;
const TEST_LINES_MAX = 800;

/** A file that is allowed to be longer than the limit, up to the length it has now. */
export interface SizeException {
  readonly path: string;
  readonly linesMax: number;
  readonly reason: string;
}

/** The exceptions in force. An entry may be lowered or removed, never raised or added to get green. */
export const SIZE_EXCEPTIONS: readonly SizeException[] = [];

/** Lines that hold at least one token of code; blank lines and comments are free. */
export function countCodeLines(tokens: readonly Token[]): number {
  const lines = new Set<number>();
  for (const token of tokens) {
    if (token.kind === 'comment') continue;
    const height = token.kind === 'template' ? token.text.split('\n').length : 1;
    for (let offset = 0; offset < height; offset += 1) lines.add(token.line + offset);
  }
  return lines.size;
}

/**
 * Files stay below the limits. An exception that is no longer needed, or is higher than the file is
 * long, is a violation too: the list may only shrink.
 */
export function sizeViolations(
  repository: Repository,
  exceptions: readonly SizeException[] = SIZE_EXCEPTIONS,
): Violation[] {
  const violations: Violation[] = [];
  for (const path of repository.keys()) {
    if (!isSource(path) || exceptions.some((exception) => exception.path === path)) continue;
    const lines = countCodeLines(tokensOf(repository, path));
    const linesMax = limitOf(path);
    if (lines <= linesMax) continue;
    violations.push({ path, message: `${lines} lines of code; ${linesMax} is the limit` });
  }
  return [...violations, ...exceptions.flatMap((exception) => staleness(repository, exception))];
}

function limitOf(path: string): number {
  const isTool = path.startsWith('tools/') || path.startsWith('bench/');
  return isTest(path) || isTool ? TEST_LINES_MAX : SOURCE_LINES_MAX;
}

function staleness(repository: Repository, exception: SizeException): Violation[] {
  const { path, linesMax, reason } = exception;
  const say = (message: string): Violation[] => [{ path, message }];
  if (!repository.has(path)) return say('the exception for its size names a file that is gone');
  if (reason.trim() === '') return say('the exception for its size gives no reason');
  const lines = countCodeLines(tokensOf(repository, path));
  if (lines <= limitOf(path)) return say('the exception for its size is not needed any more');
  if (lines > linesMax) return say(`${lines} lines of code; its exception allows ${linesMax}`);
  if (lines < linesMax) return say(`lower its exception to ${lines} lines`);
  return [];
}
