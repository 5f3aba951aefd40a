import { isSource, type Repository, type Violation } from './repository.ts';
import { tokensOf } from './source-tokens.ts';

const LINT_COMMENT =
  /\b(?:oxlint|eslint)-disable[\w-]*\s*(?<rules>[^*]*?)(?:--(?<reason>[^*]*))?(?:\*\/)?$/;
const COMPILER_COMMENT = /@ts-(?:ignore|nocheck|expect-error)\b(?<reason>.*)/;
const REASON_LENGTH_MIN = 10;

/**
 * A comment that silences the linter names the rule and, after `--`, the reason. The compiler is
 * silenced only by `@ts-expect-error` with a reason, which fails once it is not needed.
 */
export function suppressionViolations(repository: Repository): Violation[] {
  return [...repository.keys()].flatMap((path) => {
    if (!isSource(path)) return [];
    return tokensOf(repository, path).flatMap((token) => {
      const message = token.kind === 'comment' ? complaint(token.text) : undefined;
      return message === undefined ? [] : [{ path, line: token.line, message }];
    });
  });
}

function complaint(comment: string): string | undefined {
  const lint = LINT_COMMENT.exec(comment)?.groups;
  if (lint !== undefined) {
    if ((lint.rules ?? '').trim() === '') return 'a comment silences every rule of the linter';
    return hasReason(lint.reason) ? undefined : 'a comment silences the linter without a reason';
  }
  const compiler = COMPILER_COMMENT.exec(comment);
  if (compiler === null) return undefined;
  if (!compiler[0].startsWith('@ts-expect-error')) {
    return 'the compiler is silenced only by @ts-expect-error';
  }
  const reasoned = hasReason(compiler.groups?.reason);
  return reasoned ? undefined : 'a comment silences the compiler without a reason';
}

function hasReason(reason: string | undefined): boolean {
  return (reason ?? '').trim().length >= REASON_LENGTH_MIN;
}
