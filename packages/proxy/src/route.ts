import { matchesGlob } from './path-glob.ts';

/** What the proxy does with a request. */
export type Route = 'health' | 'passthrough' | 'read' | 'write';

/** Globs over paths, see `matchesGlob`. */
export interface PathRules {
  readonly passthrough: readonly string[];
  readonly alwaysForward: readonly string[];
}

const HEALTH_PATHS = new Set(['/tandem/health', '/litefs/health']);
const READ_METHODS = new Set(['GET', 'HEAD', 'OPTIONS']);

/**
 * Health comes first, so that no rule can hide it; then `passthrough`, then `always-forward`, then
 * the method. Rules see the path as the application will: without query and percent-decoded.
 */
export function routeOf(method: string, target: string, rules: PathRules): Route {
  const path = decodedPath(target);
  const isFetch = method === 'GET' || method === 'HEAD';
  if (isFetch && HEALTH_PATHS.has(path)) return 'health';
  if (rules.passthrough.some((glob) => matchesGlob(glob, path))) return 'passthrough';
  if (!READ_METHODS.has(method)) return 'write';
  return rules.alwaysForward.some((glob) => matchesGlob(glob, path)) ? 'write' : 'read';
}

function decodedPath(target: string): string {
  const path = target.split(/[?#]/, 1)[0] ?? '';
  if (!path.includes('%')) return path;
  try {
    return decodeURIComponent(path);
  } catch {
    return path;
  }
}
