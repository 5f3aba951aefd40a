import { posix } from 'node:path';
import { parseMarkdown, type CodeSpan } from './markdown.ts';
import { isMade, type Repository, type Violation } from './repository.ts';
import { codeTokensOf } from './source-tokens.ts';
import type { Token } from './tokens.ts';

/** A bare name with another ending, such as `ipaddr.js`, may be a package's. */
const SOURCE_FILE = /^(?:[\w@.-]+\/)+[\w.-]+\.(?:ts|tsx|js|mjs)$|^[\w.-]+\.tsx?$/;
const REPOSITORY_PATH = /^(?:packages|apps|tools|bench|docs|\.ci)\/[\w@.\-/]*$/;
const IDENTIFIER = /^[A-Za-z_$][\w$]*(?:\.[A-Za-z_$][\w$]*)?(?:\(\))?$/;

/**
 * A document that names a program file in inline code names one that exists, without a line number;
 * a symbol beside it (as `LAYERS` in `layers.ts`, or the reverse) stands in that file.
 */
export function citationViolations(repository: Repository): Violation[] {
  return [...repository].flatMap(([path, text]) => {
    const checked = path.endsWith('.md') && !isMade(path) && path !== 'CHANGELOG.md';
    if (!checked) return [];
    const spans = parseMarkdown(text).codeSpans;
    return spans.flatMap((span, index) => {
      const message = complaint(repository, path, spans, index);
      return message === undefined ? [] : [{ path, line: span.line, message }];
    });
  });
}

function complaint(
  repository: Repository,
  document: string,
  spans: readonly CodeSpan[],
  index: number,
): string | undefined {
  const span = spans[index];
  if (span === undefined) return undefined;
  if (/\.(?:ts|tsx|js|mjs):\d+/.test(span.text)) return `'${span.text}' cites a line number`;
  if (!SOURCE_FILE.test(span.text)) return folderComplaint(repository, span.text);
  const cited = filesNamed(repository, document, span.text);
  if (cited.length === 0) return `'${span.text}' does not exist`;
  for (const symbol of symbolsBeside(spans, index)) {
    const last = symbol.replace('()', '').split('.').at(-1) ?? '';
    const found = cited.some((file) => hasWord(codeTokensOf(repository, file), last));
    if (!found) return `'${span.text}' has no '${symbol}'`;
  }
  return undefined;
}

function folderComplaint(repository: Repository, text: string): string | undefined {
  if (!REPOSITORY_PATH.test(text)) return undefined;
  const folder = text.replace(/\/$/, '');
  const exists = [...repository.keys()].some(
    (path) => path === folder || path.startsWith(`${folder}/`),
  );
  return exists ? undefined : `'${text}' does not exist`;
}

/** The files that `cited` can mean: from the root, from the document's folder, or by bare name. */
function filesNamed(repository: Repository, document: string, cited: string): string[] {
  const beside = posix.join(posix.dirname(document), cited);
  const exact = [cited, beside].filter((path) => repository.has(path));
  if (exact.length > 0) return exact;
  return [...repository.keys()].filter((path) => path.endsWith(`/${cited}`));
}

/** The symbols of `Symbol` in `file.ts` and of `file.ts` (`Symbol`). */
function symbolsBeside(spans: readonly CodeSpan[], index: number): string[] {
  const before = spans[index - 1];
  const after = spans[index + 1];
  const symbols: string[] = [];
  if (before !== undefined && spans[index]?.gap === ' in ') symbols.push(before.text);
  if (after?.gap === ' (') symbols.push(after.text);
  return symbols.filter((symbol) => IDENTIFIER.test(symbol));
}

function hasWord(tokens: readonly Token[], word: string): boolean {
  return tokens.some((token) => token.text === word || token.text === `#${word}`);
}
