import { parseMarkdown } from './markdown.ts';
import { isSource, isTest, type Repository, type Violation } from './repository.ts';
import { tokensOf } from './source-tokens.ts';

/** An invariant at the start of a line, a list item, a table row or a heading: `- **J1** …`. */
const DEFINITION =
  /^\s*(?:[-*+|]\s*|#{2,6}\s+)?(?:\*\*|`)?(?<id>[A-Z]\d{1,2})(?:\*\*|`)?(?=[.:)|*\s])/;

/** Packages that keep data, and therefore say what is always true of it. */
const STORAGE_FOLDERS = ['packages/journal', 'packages/archive', 'packages/replication'];

/**
 * Each numbered invariant of a `DESIGN.md` is cited in the program, in a comment where it is kept,
 * and in a test that would notice if it were not. Storage packages have such a document.
 */
export function invariantViolations(repository: Repository): Violation[] {
  const cited = citations(repository);
  const violations: Violation[] = [];
  const owners = new Map<string, string>();
  for (const [path, text] of repository) {
    if (!/(?:^|\/)DESIGN\.md$/.test(path)) continue;
    for (const [index, line] of parseMarkdown(text).lines.entries()) {
      const id = DEFINITION.exec(line)?.groups?.id;
      if (id === undefined || owners.get(id) === path) continue;
      const say = (message: string): void =>
        void violations.push({ path, line: index + 1, message: `${id} ${message}` });
      if (owners.has(id)) say(`is also an invariant of ${owners.get(id) ?? ''}`);
      owners.set(id, path);
      if (!cited.program.has(id)) say('is cited nowhere in the program');
      if (!cited.tests.has(id)) say('is cited in no test');
    }
  }
  for (const folder of STORAGE_FOLDERS) {
    const path = `${folder}/DESIGN.md`;
    const isStated = [...owners.values()].includes(path);
    if (isStated || !repository.has(`${folder}/package.json`)) continue;
    violations.push({ path, message: 'a storage package states its invariants here' });
  }
  return violations;
}

function citations(repository: Repository): { program: Set<string>; tests: Set<string> } {
  const program = new Set<string>();
  const tests = new Set<string>();
  for (const path of repository.keys()) {
    const ours = /^(?:packages|apps)\//.test(path);
    if (!ours || !isSource(path)) continue;
    for (const token of tokensOf(repository, path)) {
      const mayCite =
        token.kind === 'comment' || token.kind === 'string' || token.kind === 'template';
      if (!mayCite) continue;
      for (const [id] of token.text.matchAll(/\b[A-Z]\d{1,2}\b/g))
        (isTest(path) ? tests : program).add(id);
    }
  }
  return { program, tests };
}
