import type { Repository } from './repository.ts';
import { tokenize, type Token } from './tokens.ts';

/** Cutting all files takes seconds, and most rules ask for it; a repository never changes. */
const known = new WeakMap<Repository, Map<string, readonly Token[]>>();

/** The tokens of the file at `path`, comments included; none when there is no such file. */
export function tokensOf(repository: Repository, path: string): readonly Token[] {
  let tokensByPath = known.get(repository);
  if (tokensByPath === undefined) {
    tokensByPath = new Map();
    known.set(repository, tokensByPath);
  }
  let tokens = tokensByPath.get(path);
  if (tokens === undefined) {
    tokens = tokenize(repository.get(path) ?? '');
    tokensByPath.set(path, tokens);
  }
  return tokens;
}

/** As `tokensOf` without comments: what the compiler sees. */
export function codeTokensOf(repository: Repository, path: string): Token[] {
  return tokensOf(repository, path).filter((token) => token.kind !== 'comment');
}
