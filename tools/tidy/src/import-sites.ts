import type { Token } from './tokens.ts';

/** One place where a file names another module. */
export interface ImportSite {
  readonly specifier: string;
  /**
   * - `value`: loaded when the file is.
   * - `type`: erased before the program runs.
   * - `dynamic`: `import()`, in code or in a type.
   * - `resolved`: only asked for its place, by `import.meta.resolve` or `require.resolve`.
   */
  readonly kind: 'value' | 'type' | 'dynamic' | 'resolved';
  readonly line: number;
}

/**
 * All imports and re-exports in `tokens`, which hold no comments, in order. Specifiers that are
 * computed are left out.
 */
export function importSites(tokens: readonly Token[]): ImportSite[] {
  const sites: ImportSite[] = [];
  for (const index of tokens.keys()) {
    const site = siteAt(tokens, index);
    if (site !== undefined) sites.push(site);
  }
  return sites;
}

function siteAt(tokens: readonly Token[], index: number): ImportSite | undefined {
  const token = tokens[index];
  if (token?.kind !== 'word' || isMark(tokens[index - 1], '.')) return undefined;
  const next = tokens[index + 1];
  if (token.text === 'import') {
    if (isMark(next, '(')) return siteOf(tokens[index + 2], 'dynamic');
    if (next?.kind === 'string') return siteOf(next, 'value');
    if (isMark(next, '.')) return resolvedSite(tokens, index + 3);
    if (next?.kind === 'word' || isMark(next, '{') || isMark(next, '*')) {
      return siteOf(fromClause(tokens, index + 1), kindOf(tokens, index + 1));
    }
  }
  if (token.text === 'export') {
    const list = next?.text === 'type' ? tokens[index + 2] : next;
    if (isMark(list, '{') || isMark(list, '*')) {
      return siteOf(fromClause(tokens, index + 1), kindOf(tokens, index + 1));
    }
  }
  if (token.text === 'require') {
    return isMark(next, '(') ? siteOf(tokens[index + 2], 'value') : resolvedSite(tokens, index + 1);
  }
  return undefined;
}

/** `.resolve('x')`, beginning at the full stop. */
function resolvedSite(tokens: readonly Token[], dot: number): ImportSite | undefined {
  if (!isMark(tokens[dot], '.') || tokens[dot + 1]?.text !== 'resolve') return undefined;
  return isMark(tokens[dot + 2], '(') ? siteOf(tokens[dot + 3], 'resolved') : undefined;
}

/** The string after `from`, if one comes before anything that cannot stand in an import clause. */
function fromClause(tokens: readonly Token[], start: number): Token | undefined {
  for (let index = start; index < tokens.length; index += 1) {
    const token = tokens[index];
    const next = tokens[index + 1];
    if (token?.text === 'from' && next?.kind === 'string') return next;
    const inClause = token?.kind === 'word' || token?.kind === 'string' || isClauseMark(token);
    if (!inClause) return undefined;
  }
  return undefined;
}

function kindOf(tokens: readonly Token[], start: number): 'type' | 'value' {
  const next = tokens[start + 1];
  const isType = tokens[start]?.text === 'type' && next?.text !== 'from' && !isMark(next, ',');
  return isType ? 'type' : 'value';
}

function siteOf(token: Token | undefined, kind: ImportSite['kind']): ImportSite | undefined {
  if (token?.kind !== 'string') return undefined;
  return { specifier: token.text, kind, line: token.line };
}

function isClauseMark(token: Token | undefined): boolean {
  return token?.kind === 'mark' && '{},*'.includes(token.text);
}

function isMark(token: Token | undefined, text: string): boolean {
  return token?.kind === 'mark' && token.text === text;
}
