/** The files that the rules look at: path from the root, with `/`, to content. */
export type Repository = ReadonlyMap<string, string>;

/** Something that a rule found wrong. `line` counts from 1; without it, the whole file is meant. */
export interface Violation {
  readonly path: string;
  readonly line?: number;
  readonly message: string;
}

/** A rule of the house: what it finds wrong, nothing if all is well. */
export type Rule = (repository: Repository) => Violation[];

/** A repository from literals; tests use it. */
export function repositoryOf(files: Readonly<Record<string, string>>): Repository {
  return new Map(Object.entries(files));
}

/** `path:line: message`, as editors understand it. */
export function violationText(violation: Violation): string {
  const line = violation.line === undefined ? '' : `:${violation.line}`;
  return `${violation.path}${line}: ${violation.message}`;
}

/** Whether `path` is program text of ours: neither made by a program nor test data. */
export function isSource(path: string): boolean {
  return /\.(?:ts|tsx|mts|js|mjs)$/.test(path) && !isMade(path);
}

/** Whether `path` was made by a program, or is a sample that a test reads. */
export function isMade(path: string): boolean {
  return /(?:^|\/)(?:generated|testdata|dist)\//.test(path);
}

/** Whether `path` is only run by tests. */
export function isTest(path: string): boolean {
  const inTestFolder = /^(?:(?:packages|apps|tools)\/[^/]+|bench)\/test\//.test(path);
  return inTestFolder || /\.test\.tsx?$/.test(path);
}
