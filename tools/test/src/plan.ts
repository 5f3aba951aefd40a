/** The kinds of tests, in the order in which they run. */
export const PROJECTS = ['unit', 'integration', 'crash', 'browser'] as const;
export type Project = (typeof PROJECTS)[number];

/** A check that looks at the program without running it. */
export interface StaticCheck {
  readonly name: string;
  /** A program in `node_modules/.bin` and its parameters. */
  readonly command: readonly [string, ...string[]];
}

export const STATIC_CHECKS: readonly StaticCheck[] = [
  { name: 'type check', command: ['tsc', '--noEmit'] },
  { name: 'type check of the browser script', command: ['tsc', '--noEmit', '-p', 'apps/tracker'] },
  { name: 'lint', command: ['oxlint', '--type-aware', '--deny-warnings'] },
  { name: 'format', command: ['oxfmt', '--check'] },
];

/** What to run. */
export interface Plan {
  readonly staticChecks: boolean;
  readonly projects: readonly Project[];
  /** Parts of file names; only test files that hold one of them run. Empty: all. */
  readonly filters: readonly string[];
}

export const USAGE = `usage: npm test -- [--project NAME]... [FILE]...

Without parameters everything runs: type check, lint, format and all tests.
  --project NAME   only this kind: static, ${PROJECTS.join(', ')}; may be repeated
  FILE             only test files whose path contains this text; leaves out the static checks
`;

/** Reads the command line; undefined when it makes no sense. */
export function parsePlan(parameters: readonly string[]): Plan | undefined {
  const names: string[] = [];
  const filters: string[] = [];
  for (let index = 0; index < parameters.length; index += 1) {
    const parameter = parameters[index] ?? '';
    const value = /^--project=(?<value>.*)$/.exec(parameter)?.groups?.value;
    if (value !== undefined) {
      names.push(value);
    } else if (parameter === '--project') {
      index += 1;
      names.push(parameters[index] ?? '');
    } else if (parameter.startsWith('-')) {
      return undefined;
    } else {
      filters.push(parameter);
    }
  }
  const isKnown = (name: string): boolean =>
    name === 'static' || PROJECTS.some((project) => project === name);
  if (!names.every(isKnown)) return undefined;
  return {
    staticChecks: names.length === 0 ? filters.length === 0 : names.includes('static'),
    projects: PROJECTS.filter((project) => names.length === 0 || names.includes(project)),
    filters,
  };
}
