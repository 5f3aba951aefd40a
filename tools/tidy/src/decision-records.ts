import { parseMarkdown, tableCells } from './markdown.ts';
import type { Repository, Violation } from './repository.ts';
import { workspacePackages } from './workspace.ts';

const RECORD = /^docs\/decisions\/\d{4}-[a-z0-9-]+\.md$/;

/**
 * Every package of others' that the product declares is weighed in a decision record, and a record
 * whose table says `package` in its head lists only packages that are declared.
 */
export function recordViolations(repository: Repository): Violation[] {
  const declared = declaredPackages(repository);
  const named = new Set<string>();
  const violations: Violation[] = [];
  for (const [path, text] of repository) {
    if (!RECORD.test(path)) continue;
    const { codeSpans, lines } = parseMarkdown(text);
    for (const span of codeSpans) named.add(span.text);
    for (const { name, line } of listedPackages(lines)) {
      if (declared.has(name)) continue;
      violations.push({ path, line, message: `${name} is declared by no package` });
    }
  }
  for (const [name, path] of declared) {
    if (!named.has(name)) violations.push({ path, message: `no decision record names ${name}` });
  }
  return violations;
}

/** What packages and apps need to run, with the manifest that declares it. */
function declaredPackages(repository: Repository): Map<string, string> {
  const packages = workspacePackages(repository);
  const ours = new Set(packages.map(({ name }) => name));
  const declared = new Map<string, string>();
  for (const { folder, manifest } of packages) {
    if (!/^(?:packages|apps)\//.test(folder)) continue;
    for (const name of Object.keys(manifest.dependencies ?? {})) {
      if (!ours.has(name)) declared.set(name, `${folder}/package.json`);
    }
  }
  return declared;
}

function listedPackages(lines: readonly string[]): { name: string; line: number }[] {
  const listed: { name: string; line: number }[] = [];
  let inTable = false;
  for (const [index, line] of lines.entries()) {
    const [first] = tableCells(line) ?? [];
    if (!line.trim().startsWith('|')) inTable = false;
    else if (first === 'package') inTable = true;
    const name = /^`(?<name>[^`]+)`$/.exec(first ?? '')?.groups?.name;
    if (inTable && name !== undefined) listed.push({ name, line: index + 1 });
  }
  return listed;
}
