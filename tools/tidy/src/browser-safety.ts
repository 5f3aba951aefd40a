import { isSource, isTest, type Repository, type Violation } from './repository.ts';
import { codeTokensOf } from './source-tokens.ts';
import type { Token } from './tokens.ts';
import { workspaceImports, type Import } from './workspace.ts';

/** Folders whose program text a browser runs. */
const BROWSER_FOLDERS = [
  'packages/contract/src/',
  'apps/tracker/src/browser/',
  'apps/dashboard/src/',
];
/** Packages from elsewhere that run in a browser. */
const BROWSER_DEPENDENCIES = new Set(['typebox']);
const NODE_GLOBALS = new Set(['process', 'Buffer', '__dirname', '__filename', 'setImmediate']);

/**
 * What a browser runs, and everything of ours that it imports in turn, uses neither modules nor
 * globals of Node.js. Imports of types do not count: they are gone before anything runs.
 */
export function browserViolations(repository: Repository): Violation[] {
  const imports = workspaceImports(repository).filter(({ site }) => site.kind !== 'type');
  const byPath = Map.groupBy(imports, ({ path }) => path);
  const reached = reachable(repository, byPath);
  const violations: Violation[] = [];
  for (const [path, root] of reached) {
    const via = path === root ? '' : `, which ${root} imports`;
    for (const { site, target } of byPath.get(path) ?? []) {
      const outside =
        target.kind === 'builtin' ||
        (target.kind === 'external' && !BROWSER_DEPENDENCIES.has(target.name));
      if (!outside) continue;
      const message = `'${site.specifier}' does not run in a browser${via}`;
      violations.push({ path, line: site.line, message });
    }
    violations.push(...globalViolations(path, codeTokensOf(repository, path), via));
  }
  return violations;
}

/** Every file that a browser loads, with the browser's own file that leads to it. */
function reachable(
  repository: Repository,
  byPath: ReadonlyMap<string, readonly Import[]>,
): Map<string, string> {
  const reached = new Map<string, string>();
  const visit = (path: string, root: string): void => {
    if (reached.has(path) || !repository.has(path)) return;
    reached.set(path, root);
    for (const { target } of byPath.get(path) ?? []) {
      const next = target.kind === 'file' || target.kind === 'workspace' ? target.path : undefined;
      if (next !== undefined) visit(next, root);
    }
  };
  for (const path of repository.keys()) {
    const isRoot = BROWSER_FOLDERS.some((folder) => path.startsWith(folder));
    if (isRoot && isSource(path) && !isTest(path)) visit(path, path);
  }
  return reached;
}

function globalViolations(path: string, tokens: readonly Token[], via: string): Violation[] {
  return tokens.flatMap((token, index) => {
    const before = tokens[index - 1]?.text;
    const after = tokens[index + 1]?.text;
    const used = token.kind === 'word' && NODE_GLOBALS.has(token.text) && before !== '.';
    if (!used || after === ':') return [];
    const message = `'${token.text}' does not exist in a browser${via}`;
    return [{ path, line: token.line, message }];
  });
}
