import { isSource, isTest, type Repository, type Violation } from './repository.ts';
import { codeTokensOf } from './source-tokens.ts';
import type { Token } from './tokens.ts';
import { workspaceImports } from './workspace.ts';

/** Packages whose program text decides and computes but touches nothing. */
const PURE_FOLDERS = [
  'packages/contract/src/',
  'packages/ltx/src/',
  'packages/sqlite-format/src/',
  'packages/reports/src/',
];
/** Modules of Node.js that only compute. */
const PURE_MODULES = new Set(['node:buffer', 'node:zlib', 'node:util']);
/** `object.member` pairs that read the world; `*` is any member. */
const MEMBERS: Readonly<Record<string, readonly string[]>> = {
  Date: ['now'],
  Math: ['random'],
  performance: ['*'],
  process: ['*'],
  console: ['*'],
  crypto: ['*'],
};
const FUNCTIONS = new Set([
  'fetch',
  'setTimeout',
  'setInterval',
  'setImmediate',
  'queueMicrotask',
  'requestAnimationFrame',
]);
/** Names of ours that carry the world with them. */
const IMPURE_NAMES = new Set(['systemClock']);

/** Pure packages take clock, randomness and files as values, if they need them at all. */
export function purityViolations(repository: Repository): Violation[] {
  const modules = workspaceImports(repository)
    .filter(({ path }) => isPure(path))
    .flatMap(({ path, site, target }) => {
      if (target.kind !== 'builtin' || PURE_MODULES.has(target.name)) return [];
      return [{ path, line: site.line, message: `a pure package imports '${target.name}'` }];
    });
  const effects = [...repository.keys()].flatMap((path) =>
    isPure(path) ? effectsIn(path, codeTokensOf(repository, path)) : [],
  );
  return [...modules, ...effects];
}

function isPure(path: string): boolean {
  return PURE_FOLDERS.some((folder) => path.startsWith(folder)) && isSource(path) && !isTest(path);
}

function effectsIn(path: string, tokens: readonly Token[]): Violation[] {
  return [...tokens.keys()].flatMap((index) => {
    const effect = effectAt(tokens, index);
    if (effect === undefined) return [];
    return [{ path, line: tokens[index]?.line ?? 1, message: `a pure package uses ${effect}` }];
  });
}

function effectAt(tokens: readonly Token[], index: number): string | undefined {
  const token = tokens[index];
  if (token?.kind !== 'word') return undefined;
  const [before, next, after] = [index - 1, index + 1, index + 2].map((at) => tokens[at]?.text);
  const isMember = before === '.' && tokens[index - 2]?.text !== 'globalThis';
  if (isMember) return undefined;
  if (IMPURE_NAMES.has(token.text)) return token.text;
  if (FUNCTIONS.has(token.text) && next === '(') return `${token.text}()`;
  if (token.text === 'Date' && before === 'new' && (next !== '(' || after === ')')) {
    return 'new Date() without a time';
  }
  const members = MEMBERS[token.text];
  if (members === undefined || next !== '.' || after === undefined) return undefined;
  return members.includes('*') || members.includes(after) ? `${token.text}.${after}` : undefined;
}
