import type { Repository, Violation } from './repository.ts';
import { workspaceImports, type ImportTarget } from './workspace.ts';

/** No file leads back to itself over imports, those of types included. */
export function cycleViolations(repository: Repository): Violation[] {
  const graph = new Map<string, string[]>();
  for (const { path, target, site } of workspaceImports(repository)) {
    const to = site.kind === 'resolved' ? undefined : targetPath(target);
    if (to === undefined || !repository.has(to)) continue;
    const edges = graph.get(path);
    if (edges === undefined) graph.set(path, [to]);
    else edges.push(to);
  }
  return findCycles(graph).map((cycle) => ({
    path: cycle[0] ?? '',
    message: `import cycle: ${[...cycle, cycle[0]].join(' → ')}`,
  }));
}

function targetPath(target: ImportTarget): string | undefined {
  return target.kind === 'file' || target.kind === 'workspace' ? target.path : undefined;
}

/** One cycle for each edge that closes one, by depth-first search. */
function findCycles(graph: ReadonlyMap<string, readonly string[]>): string[][] {
  const finished = new Set<string>();
  const trail: string[] = [];
  const cycles: string[][] = [];
  const visit = (node: string): void => {
    if (finished.has(node)) return;
    const start = trail.indexOf(node);
    if (start !== -1) {
      cycles.push(trail.slice(start));
      return;
    }
    trail.push(node);
    for (const next of new Set(graph.get(node))) visit(next);
    trail.pop();
    finished.add(node);
  };
  for (const node of graph.keys()) visit(node);
  return cycles;
}
